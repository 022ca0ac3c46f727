/** Distance in time between parts, and events that are never cut. */
import type { LabelTable } from '../labels/index.js';
import type { FrameIndex } from '../shards/index.js';

/** Codes of schemas/records PARTS. */
export const TRAIN = 0;
export const VALIDATION = 1;
export const TEST = 2;
export const EMBARGO = 3;
export const NONE = 4;

/**
 * An event that a boundary would cut belongs wholly to the part it begins in (changes `part`), so that over all folds
 * each is tested once. The frames between its first and last go with it. Returns the number of events moved.
 */
export function keepEventsWhole(index: FrameIndex, labels: LabelTable, part: Uint8Array): number {
  let moved = 0;
  for (const { first, last } of eventSpans(labels)) {
    if (index.series[first] !== index.series[last] || isOnePart(part, first, last)) continue;
    const owner = part[first] === NONE ? EMBARGO : part[first];
    part.fill(owner, first, last + 1);
    moved++;
  }
  return moved;
}

/**
 * Frames nearer in time than `embargoMs` to a frame of a part that matters more become embargo: train gives way to
 * validation and test, validation to test. An event that loses a frame so loses all. Series are taken as one place.
 */
export function applyEmbargo(
  index: FrameIndex,
  labels: LabelTable | null,
  part: Uint8Array,
  embargoMs: number,
): void {
  giveWay(index, part, VALIDATION, timesOf(index, part, TEST), embargoMs);
  dropCutEvents(labels, part);
  const kept = merge(timesOf(index, part, TEST), timesOf(index, part, VALIDATION));
  giveWay(index, part, TRAIN, kept, embargoMs);
  dropCutEvents(labels, part);
}

/** Milliseconds from `time` to the nearest of an ascending list; Infinity for an empty one. */
export function distanceTo(times: Float64Array, time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle + 1;
    else high = middle;
  }
  const after = low < times.length ? times[low] - time : Infinity;
  return Math.min(after, low > 0 ? time - times[low - 1] : Infinity);
}

/** Ascending times of a part's frames, of all series or of those in `series`. */
export function timesOf(
  index: FrameIndex,
  part: Uint8Array,
  wanted: number,
  series?: ReadonlySet<number>,
): Float64Array {
  const times: number[] = [];
  for (let frame = 0; frame < index.length; frame++)
    if (part[frame] === wanted && (!series || series.has(index.series[frame]))) times.push(index.time[frame]);
  return Float64Array.from(times).sort();
}

function giveWay(
  index: FrameIndex,
  part: Uint8Array,
  weaker: number,
  times: Float64Array,
  embargoMs: number,
): void {
  for (let frame = 0; frame < index.length; frame++)
    if (part[frame] === weaker && distanceTo(times, index.time[frame]) < embargoMs) part[frame] = EMBARGO;
}

function dropCutEvents(labels: LabelTable | null, part: Uint8Array): void {
  if (!labels) return;
  for (const { first, last } of eventSpans(labels)) {
    if (isOnePart(part, first, last)) continue;
    for (let frame = first; frame <= last; frame++) if (part[frame] !== NONE) part[frame] = EMBARGO;
  }
}

function merge(a: Float64Array, b: Float64Array): Float64Array {
  const both = new Float64Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both.sort();
}

function isOnePart(part: Uint8Array, first: number, last: number): boolean {
  for (let frame = first + 1; frame <= last; frame++) if (part[frame] !== part[first]) return false;
  return true;
}

/** First and last frame of each event; an event lies in one series. */
function eventSpans({ event, eventNames }: LabelTable): { first: number; last: number }[] {
  const spans = eventNames.map(() => ({ first: -1, last: -1 }));
  event.forEach((e, frame) => {
    if (e < 0) return;
    if (spans[e].first < 0) spans[e].first = frame;
    spans[e].last = frame;
  });
  return spans.filter(({ first }) => first >= 0);
}
