/**
 * What is drawn again and again for intervals: pieces of data that are nearly independent of one another. In time an
 * event with its context is one unit and storm-free time is cut into units of at least ten days. Overlapping tiles of
 * one time are one another's neighbours, so there blocks of tiles are the units.
 */
import type { DatasetDescription } from '../../../schemas/records/index.js';
import type { LabelTable } from '../../labels/index.js';
import { segments } from '../../sequences/index.js';
import type { FrameIndex } from '../../shards/index.js';
import { sectors } from './sectors.js';

export interface ResamplingUnits {
  /** Unit of each frame of the index; -1 for frames that are not judged. */
  readonly unit: Int32Array;
  readonly count: number;
  /** Labelled events among the judged frames. */
  readonly events: number;
  readonly kind: 'time' | 'space';
  /** Why intervals cannot be given; null where they can. */
  readonly reason: string | null;
  /** How the units were made, for the report. */
  readonly words: string;
}

export type UnitLabels = Pick<LabelTable, 'label' | 'event'>;

export interface UnitOptions {
  /** Judged frames, ascending; default all. */
  frames?: ArrayLike<number>;
  /** Least length of a storm-free unit. Default 10. */
  minimumDays?: number;
  /** Frames before and after an event that go with it. Default 4. */
  contextFrames?: number;
  /** Group of each series, e.g. from `sectors`: makes every group in a stretch of time one unit. */
  groupSeries?: ArrayLike<number>;
}

/** Fewer events than this give no interval. */
export const MINIMUM_EVENTS = 8;
/** Fewer blocks of tiles than this give no interval; even above it they are rough, and the words say so. */
export const MINIMUM_BLOCKS = 5;

const DAY_MS = 86_400_000;

/** Units by time, or by space where series overlap in place and time (`auto`). */
export function resamplingUnits(
  { description, index }: { description: DatasetDescription; index: FrameIndex },
  labels: UnitLabels,
  { units = 'auto', ...options }: UnitOptions & { units?: 'time' | 'space' | 'auto' } = {},
): ResamplingUnits {
  const used = new Set<number>();
  const judged = options.frames ? Uint32Array.from(options.frames) : Uint32Array.from(index.time.keys());
  for (const frame of judged) used.add(index.series[frame]);
  const found = units === 'time' ? null : sectors(description, index, used);
  const isSpatial = found !== null && (units === 'space' || found.overlap);
  return resamplingBlocks(index, labels, isSpatial ? { ...options, groupSeries: found.group } : options);
}

export function resamplingBlocks(
  index: FrameIndex,
  labels: UnitLabels,
  options: UnitOptions = {},
): ResamplingUnits {
  const frames = options.frames ? Uint32Array.from(options.frames) : Uint32Array.from(index.time.keys());
  const unit = new Int32Array(index.length).fill(-1);
  const events = countEvents(labels, frames);
  const { groupSeries, minimumDays = 10 } = options;
  if (groupSeries) {
    const count = spaceUnits(index, frames, unit, groupSeries, minimumDays * DAY_MS);
    return { unit, count, events, kind: 'space', ...spaceWords(count, events) };
  }
  const count = timeUnits(index, labels, frames, unit, options);
  return { unit, count, events, kind: 'time', ...timeWords(count, events, minimumDays) };
}

/** Labelled events that have a frame among `frames`. */
export function countEvents(labels: Pick<UnitLabels, 'event'>, frames: ArrayLike<number>): number {
  const seen = new Set<number>();
  for (let i = 0; i < frames.length; i++) if (labels.event[frames[i]] >= 0) seen.add(labels.event[frames[i]]);
  return seen.size;
}

function spaceWords(count: number, events: number) {
  const reason =
    count < MINIMUM_BLOCKS
      ? `not estimable: ${count} blocks of neighbouring tiles, at least ${MINIMUM_BLOCKS} are needed`
      : null;
  const words = `2,000 draws over ${count} blocks of neighbouring tiles (${events} tile events, but far fewer independent storms: intervals are rough, more likely too narrow than too wide)`;
  return { reason, words };
}

function timeWords(count: number, events: number, minimumDays: number) {
  const reason =
    events < MINIMUM_EVENTS
      ? `not estimable: ${events} event${events === 1 ? '' : 's'}, at least ${MINIMUM_EVENTS} are needed`
      : null;
  const words = `2,000 draws over ${count} units: each of ${events} events with its context, and storm-free blocks of at least ${minimumDays} days`;
  return { reason, words };
}

/** Each group of series, cut in time into equal stretches of at least `leastMs`. */
function spaceUnits(
  index: FrameIndex,
  frames: Uint32Array,
  unit: Int32Array,
  group: ArrayLike<number>,
  leastMs: number,
): number {
  let [from, to] = [Infinity, -Infinity];
  for (const frame of frames) {
    from = Math.min(from, index.time[frame]);
    to = Math.max(to, index.time[frame]);
  }
  const stretches = Math.max(1, Math.floor((to - from) / leastMs));
  const ids = new Map<number, number>();
  for (const frame of frames) {
    const at = Math.min(
      stretches - 1,
      Math.floor(((index.time[frame] - from) / (to - from || 1)) * stretches),
    );
    const key = group[index.series[frame]] * stretches + at;
    if (!ids.has(key)) ids.set(key, ids.size);
    unit[frame] = ids.get(key)!;
  }
  return ids.size;
}

/** Judged frames of one series without a hole longer than a storm-free unit. */
function timeUnits(
  index: FrameIndex,
  labels: UnitLabels,
  frames: Uint32Array,
  unit: Int32Array,
  { minimumDays = 10, contextFrames = 4 }: UnitOptions,
): number {
  const leastMs = minimumDays * DAY_MS;
  const judged = new Uint8Array(index.length);
  for (const frame of frames) judged[frame] = 1;
  const own: FrameIndex = { ...pick(index, frames), length: frames.length };
  let count = 0;
  for (const { start, length } of segments(own, leastMs / 1.5)) {
    const stretch = frames.subarray(start, start + length);
    count = cutStretch(index, labels, stretch, unit, count, { leastMs, contextFrames });
  }
  return count;
}

function pick(index: FrameIndex, frames: Uint32Array): FrameIndex {
  return {
    length: frames.length,
    seriesNames: index.seriesNames,
    series: Uint32Array.from(frames, (f) => index.series[f]),
    time: Float64Array.from(frames, (f) => index.time[f]),
    ok: Uint8Array.from(frames, (f) => index.ok[f]),
  };
}

/** Numbers the units of one stretch from `first` on and returns the next free number. */
function cutStretch(
  index: FrameIndex,
  labels: UnitLabels,
  stretch: Uint32Array,
  unit: Int32Array,
  first: number,
  { leastMs, contextFrames }: { leastMs: number; contextFrames: number },
): number {
  const storms = stormRanges(labels, stretch, contextFrames);
  let next = first;
  const calm = (from: number, to: number) => {
    if (from >= to) return;
    const [begin, end] = [index.time[stretch[from]], index.time[stretch[to - 1]]];
    const pieces = Math.floor((end - begin) / leastMs);
    const before = from > 0 ? unit[stretch[from - 1]] : -1;
    const hasAfter = to < stretch.length;
    for (let i = from; i < to; i++) {
      const share = (index.time[stretch[i]] - begin) / (end - begin || 1);
      // Too short to stand alone: the halves go with the events on either side.
      if (pieces === 0 && (before >= 0 || hasAfter))
        unit[stretch[i]] = before >= 0 && (share < 0.5 || !hasAfter) ? before : next;
      else
        unit[stretch[i]] = next + Math.min(Math.max(pieces, 1) - 1, Math.floor(share * Math.max(pieces, 1)));
    }
    if (pieces > 0 || (before < 0 && !hasAfter)) next += Math.max(pieces, 1);
  };
  let at = 0;
  for (const { start, end } of storms) {
    calm(at, start);
    for (let i = start; i < end; i++) unit[stretch[i]] = next;
    next++;
    at = end;
  }
  calm(at, stretch.length);
  return next;
}

/** Half-open ranges of positions: each event, widened by its context up to half-way to its neighbours. */
function stormRanges({ label, event }: UnitLabels, stretch: Uint32Array, context: number) {
  const ranges: { start: number; end: number }[] = [];
  let last = -2;
  stretch.forEach((frame, i) => {
    if (label[frame] !== 1) return;
    const goesOn =
      last >= 0 && event[frame] === event[stretch[last]] && (event[frame] >= 0 || last === i - 1);
    if (goesOn) ranges[ranges.length - 1].end = i + 1;
    else ranges.push({ start: i, end: i + 1 });
    last = i;
  });
  return ranges.map(({ start, end }, k) => {
    const [before, after] = [ranges[k - 1]?.end, ranges[k + 1]?.start];
    return {
      start: Math.max(0, start - context, before === undefined ? 0 : Math.ceil((before + start) / 2)),
      end: Math.min(
        stretch.length,
        end + context,
        after === undefined ? Infinity : Math.ceil((end + after) / 2),
      ),
    };
  });
}
