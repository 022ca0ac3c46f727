/**
 * Event-balanced draws: a storm window with probability `share`, every event as likely as any other; else a window
 * without storm. The prior this makes is known exactly, so that it can be undone at test.
 */
import type { LabelTable } from '../labels/index.js';
import { Random } from '../random.js';
import type { Timeline } from './timeline.js';
import type { Windows } from './types.js';

export interface SamplerOptions {
  windows: Windows;
  /** What the windows count in: their slots hold frames, or nothing. */
  timeline: Pick<Timeline, 'frame'>;
  labels: LabelTable;
  seed: number;
  /** Share of draws that hold a storm. */
  share: number;
}

export interface Sampler {
  /** Window of draw i of an epoch: a pure function of (seed, epoch, i). */
  at(epoch: number, i: number): number;
  /** Expected share of storm frames among the labelled frames drawn; the prior of the stream. */
  readonly prior: number;
  readonly events: number;
}

/** Without storm windows, or without calm ones, draws come from the others alone. */
export function eventSampler({ windows, timeline, labels, seed, share }: SamplerOptions): Sampler {
  const framesOf = countedFrames(windows, timeline, labels);
  const groups = groupWindows(windows.length, framesOf, labels);
  const ofStorm = groups.events === 0 ? 0 : groups.calm.length === 0 ? 1 : share;
  const random = Random.from(seed).key('sampler');
  return {
    events: groups.events,
    prior: expectedPrior(framesOf, labels, groups, ofStorm),
    at(epoch, i) {
      const draw = random.key(epoch).key(i);
      if (draw.uniform() >= ofStorm) return groups.calm[draw.integer(groups.calm.length)];
      const event = draw.integer(groups.events);
      const [from, to] = [groups.start[event], groups.start[event + 1]];
      return groups.storm[from + draw.integer(to - from)];
    },
  };
}

interface Groups {
  events: number;
  /** Windows of event e: storm[start[e]] .. storm[start[e + 1] - 1]. */
  start: Uint32Array;
  storm: Float64Array;
  calm: Float64Array;
}

/** Frames of a window whose label counts. */
type FramesOf = (window: number) => number[];

function countedFrames(windows: Windows, timeline: Pick<Timeline, 'frame'>, labels: LabelTable): FramesOf {
  return (window) => {
    const { start, length } = windows.at(window);
    const found: number[] = [];
    for (let slot = start; slot < start + length; slot++) {
      const frame = timeline.frame(slot);
      if (frame >= 0 && !labels.ignore[frame] && labels.label[frame] >= 0) found.push(frame);
    }
    return found;
  };
}

function groupWindows(length: number, framesOf: FramesOf, labels: LabelTable): Groups {
  const perEvent = new Map<number, number>();
  let calmCount = 0;
  for (let i = 0; i < length; i++) {
    const found = eventsIn(framesOf(i), labels);
    if (found.size === 0) calmCount++;
    for (const event of found) perEvent.set(event, (perEvent.get(event) ?? 0) + 1);
  }
  const events = [...perEvent.keys()].sort((a, b) => a - b);
  const start = new Uint32Array(events.length + 1);
  events.forEach((event, e) => {
    start[e + 1] = start[e] + (perEvent.get(event) ?? 0);
  });
  const next = new Map(events.map((event, e) => [event, start[e]]));
  const storm = new Float64Array(start[events.length]);
  const calm = new Float64Array(calmCount);
  calmCount = 0;
  for (let i = 0; i < length; i++) {
    const found = eventsIn(framesOf(i), labels);
    if (found.size === 0) calm[calmCount++] = i;
    for (const event of found) {
      const at = next.get(event) ?? 0;
      storm[at] = i;
      next.set(event, at + 1);
    }
  }
  return { events: events.length, start, storm, calm };
}

/** Events with a storm frame among `frames`. */
function eventsIn(frames: readonly number[], labels: LabelTable): Set<number> {
  const found = new Set<number>();
  for (const frame of frames) if (labels.label[frame] === 1) found.add(labels.event[frame]);
  return found;
}

function expectedPrior(framesOf: FramesOf, labels: LabelTable, groups: Groups, ofStorm: number): number {
  const total = { storm: 0, counted: 0 };
  const add = (window: number, weight: number) => {
    for (const frame of framesOf(window)) {
      total.counted += weight;
      total.storm += weight * labels.label[frame];
    }
  };
  for (const window of groups.calm) add(window, (1 - ofStorm) / groups.calm.length);
  for (let e = 0; e < groups.events; e++) {
    const [from, to] = [groups.start[e], groups.start[e + 1]];
    for (let k = from; k < to; k++) add(groups.storm[k], ofStorm / groups.events / (to - from));
  }
  return total.counted === 0 ? 0 : total.storm / total.counted;
}
