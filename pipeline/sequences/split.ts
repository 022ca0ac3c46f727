/**
 * Which frames train, validate and test. The unit is the event; parts keep an embargo in time, or lie in places
 * that do not touch. Nothing leaks silently: what cannot be kept apart is a LeakError, a forced leak is `leaky`.
 *
 *   const split = makeSplit(store, labels, SplitConfig.parse({ by: 'blocks', blocks: 'years', fold: 0 }), { windowLength: 16 });
 */
import { createHash } from 'node:crypto';
import type { SplitConfig } from '../../schemas/config/index.js';
import type { DatasetDescription } from '../../schemas/records/index.js';
import { PARTS } from '../../schemas/records/index.js';
import { ConfigError, LeakError } from '../errors.js';
import type { LabelTable } from '../labels/index.js';
import type { FrameIndex } from '../shards/index.js';
import { assignBlocks, assignDates, assignRandom, assignSeries, embargoOf } from './assign.js';
import {
  applyEmbargo,
  distanceTo,
  EMBARGO,
  keepEventsWhole,
  NONE,
  TEST,
  TRAIN,
  timesOf,
  VALIDATION,
} from './embargo.js';
import { placesOf } from './footprints.js';
import type { Split } from './types.js';

/** The part of a store that a split is made of. */
export interface SplitFrames {
  readonly description: DatasetDescription;
  readonly index: FrameIndex;
  readonly hash: string;
}

/**
 * The split of `config`. `labels` null: no events and no class check (anomaly work without labels).
 * LeakError: parts that share place and time, or a random split that was not accepted by name.
 * ConfigError: an empty part, a part that trains or tests with one class only, dates for frames without times.
 */
export function makeSplit(
  store: SplitFrames,
  labels: LabelTable | null,
  config: SplitConfig,
  { windowLength }: { windowLength: number },
): Split {
  const { description, index } = store;
  const embargoMs = embargoOf(config, windowLength, description.stepMs);
  const part = assign(store, config);
  const notes: string[] = [];
  if (config.by === 'dates' || config.by === 'blocks') {
    const moved = labels ? keepEventsWhole(index, labels, part) : 0;
    applyEmbargo(index, labels, part, embargoMs);
    notes.push(...embargoNotes(part, embargoMs, moved));
  }
  if (config.by === 'series') notes.push(...checkPlaces(store, part, embargoMs));
  if (config.by === 'random')
    notes.push('LEAKS: frames were split at random, so neighbours in time lie on both sides');
  refuseEmpty(config, part);
  if (labels) refuseOneClass(index, labels, part);
  notes.unshift(sizeNote(index, labels, part));
  const hash = createHash('sha256')
    .update(`${store.hash} ${labels?.hash ?? ''} `)
    .update(part)
    .digest('hex');
  return { part, config, hash, embargoMs, leaky: config.by === 'random', notes };
}

function assign({ description: { time, stepMs }, index }: SplitFrames, config: SplitConfig): Uint8Array {
  if (config.by === 'series') return assignSeries(index, config);
  if (config.by === 'random') {
    if (config.acceptLeak === true) return assignRandom(index, config);
    throw new LeakError('a random split by frame puts neighbours in time on both sides', {
      hint: 'split by dates, blocks or series; only split.acceptLeak: true forces a random split, and the report says so in red',
      fields: { by: 'random' },
    });
  }
  if (time === 'none')
    throw new ConfigError(`the frames have no times, so they cannot be split by ${config.by}`, {
      hint: 'split by series',
      fields: { by: config.by },
    });
  return config.by === 'dates' ? assignDates(index, config) : assignBlocks(index, stepMs ?? 0, config);
}

function embargoNotes(part: Uint8Array, embargoMs: number, moved: number): string[] {
  const lost = part.reduce((n, p) => n + (p === EMBARGO ? 1 : 0), 0);
  const notes = [
    `embargo of ${hours(embargoMs)} between parts, ${lost} frames; training gives way, the test part stays whole`,
  ];
  if (moved > 0)
    notes.push(
      `${moved} events across a boundary went wholly to the part they begin in, or into the embargo`,
    );
  return notes;
}

const hours = (ms: number): string => `${Number((ms / 3_600_000).toFixed(2))} h`;

/** Series of different parts must lie in places that do not touch, or be apart in time by the embargo. */
function checkPlaces({ description, index }: SplitFrames, part: Uint8Array, embargoMs: number): string[] {
  const place = placesOf(description);
  const parts = new Map<number, number>();
  index.series.forEach((series, frame) => {
    if (part[frame] !== NONE) parts.set(series, part[frame]);
  });
  const used = [...parts.keys()];
  const times = new Map(used.map((s) => [s, timesOf(index, part, parts.get(s) ?? NONE, new Set([s]))]));
  let unknown = 0;
  for (const a of used)
    for (const b of used) {
      if (a >= b || parts.get(a) === parts.get(b)) continue;
      const [first, second] = [index.seriesNames[a], index.seriesNames[b]];
      const where = place(first, second);
      if (where === 'unknown') unknown++;
      if (where !== 'same') continue;
      const apart = closest(times.get(a)!, times.get(b)!);
      if (apart < embargoMs)
        throw sharedPlace([first, second], [parts.get(a)!, parts.get(b)!], apart, embargoMs);
    }
  return unknown === 0
    ? ['no two parts hold series of one place within the embargo']
    : [
        `${unknown} pairs of series in different parts have no footprint: whether they show one storm or place is not checked`,
      ];
}

function closest(a: Float64Array, b: Float64Array): number {
  return a.reduce((least, time) => Math.min(least, distanceTo(b, time)), Infinity);
}

function sharedPlace(
  series: [string, string],
  parts: [number, number],
  apart: number,
  embargoMs: number,
): LeakError {
  const [first, second] = parts.map((p) => PARTS[p]);
  return new LeakError(
    `series "${series[0]}" (${first}) and "${series[1]}" (${second}) overlap or touch in space and are ${hours(apart)} apart in time; the embargo is ${hours(embargoMs)}`,
    {
      hint: 'leave the series between them out of split.train and split.test, so that footprints do not touch',
      fields: { series, parts: [first, second], apartMs: apart, embargoMs },
    },
  );
}

function refuseEmpty(config: SplitConfig, part: Uint8Array): void {
  const counts = PARTS.map((_, p) => part.reduce((n, q) => n + (q === p ? 1 : 0), 0));
  for (const wanted of wantedParts(config)) {
    if (counts[wanted] > 0) continue;
    throw new ConfigError(
      `the ${PARTS[wanted]} part is empty; frames: ${PARTS.map((name, p) => `${name} ${counts[p]}`).join(', ')}`,
      {
        hint: 'change the split so that every part holds frames, or shorten the embargo or the window',
        fields: {
          part: PARTS[wanted],
          counts: Object.fromEntries(PARTS.map((name, p) => [name, counts[p]])),
        },
      },
    );
  }
}

function wantedParts(config: SplitConfig): number[] {
  const wanted = [TRAIN];
  if (hasValidation(config)) wanted.push(VALIDATION);
  if (hasTest(config)) wanted.push(TEST);
  return wanted;
}

function hasValidation(config: SplitConfig): boolean {
  if (config.by === 'dates') return config.validation !== undefined;
  if (config.by === 'blocks') return config.validation > 0;
  return config.by === 'series' && config.validation.length > 0;
}

function hasTest(config: SplitConfig): boolean {
  if (config.by === 'dates') return config.test !== undefined;
  if (config.by === 'series') return config.test.length > 0;
  return config.by === 'blocks' || config.test > 0;
}

interface ClassCounts {
  frames: number;
  storm: number;
  events: number;
}

function classCounts(index: FrameIndex, labels: LabelTable, part: Uint8Array, wanted: number): ClassCounts {
  const events = new Set<number>();
  const counts = { frames: 0, storm: 0, events: 0 };
  for (let frame = 0; frame < index.length; frame++) {
    if (part[frame] !== wanted || labels.ignore[frame] || labels.label[frame] < 0 || !index.ok[frame])
      continue;
    counts.frames++;
    counts.storm += labels.label[frame];
    if (labels.event[frame] >= 0) events.add(labels.event[frame]);
  }
  return { ...counts, events: events.size };
}

function refuseOneClass(index: FrameIndex, labels: LabelTable, part: Uint8Array): void {
  for (const wanted of [TRAIN, TEST]) {
    if (!part.includes(wanted)) continue;
    const { frames, storm } = classCounts(index, labels, part, wanted);
    if (storm > 0 && storm < frames) continue;
    throw new ConfigError(
      `the ${PARTS[wanted]} part holds one class only: ${storm} storm frames of ${frames} labelled ones`,
      {
        hint: 'choose a split in which both training and test hold storm frames and calm ones',
        fields: { part: PARTS[wanted], storm, frames },
      },
    );
  }
}

function sizeNote(index: FrameIndex, labels: LabelTable | null, part: Uint8Array): string {
  const sizes = [TRAIN, VALIDATION, TEST].flatMap((wanted) => {
    const count = part.reduce((n, p) => n + (p === wanted ? 1 : 0), 0);
    if (count === 0) return [];
    if (!labels) return [`${PARTS[wanted]} ${count} frames`];
    const { storm, events } = classCounts(index, labels, part, wanted);
    return [`${PARTS[wanted]} ${count} frames (${storm} storm, ${events} events)`];
  });
  return sizes.join('; ');
}
