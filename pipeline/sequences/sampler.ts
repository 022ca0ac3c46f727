/**
 * Event-balanced draws: a storm window with probability `share`, every event as likely as any other; else a window
 * without storm. The prior this makes is known exactly, so that it can be undone at test.
 */
import type { LabelTable } from '../labels/index.js';
import { Random } from '../random.js';
import type { Windows } from './types.js';

export interface SamplerOptions {
  windows: Windows;
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
export function eventSampler({ windows, labels, seed, share }: SamplerOptions): Sampler {
  const groups = groupWindows(windows, labels);
  const ofStorm = groups.events === 0 ? 0 : groups.calm.length === 0 ? 1 : share;
  const random = Random.from(seed).key('sampler');
  return {
    events: groups.events,
    prior: expectedPrior(windows, labels, groups, ofStorm),
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

function groupWindows(windows: Windows, labels: LabelTable): Groups {
  const perEvent = new Map<number, number>();
  let calmCount = 0;
  for (let i = 0; i < windows.length; i++) {
    const found = eventsIn(windows, labels, i);
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
  for (let i = 0; i < windows.length; i++) {
    const found = eventsIn(windows, labels, i);
    if (found.size === 0) calm[calmCount++] = i;
    for (const event of found) {
      const at = next.get(event) ?? 0;
      storm[at] = i;
      next.set(event, at + 1);
    }
  }
  return { events: events.length, start, storm, calm };
}

/** Events with a storm frame that counts in window i. */
function eventsIn(windows: Windows, labels: LabelTable, i: number): Set<number> {
  const { start, length } = windows.at(i);
  const found = new Set<number>();
  for (let frame = start; frame < start + length; frame++)
    if (labels.label[frame] === 1 && !labels.ignore[frame]) found.add(labels.event[frame]);
  return found;
}

function expectedPrior(windows: Windows, labels: LabelTable, groups: Groups, ofStorm: number): number {
  const total = { storm: 0, counted: 0 };
  const add = (window: number, weight: number) => {
    const { start, length } = windows.at(window);
    for (let frame = start; frame < start + length; frame++) {
      if (labels.ignore[frame] || labels.label[frame] < 0) continue;
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
