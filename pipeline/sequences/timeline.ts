/**
 * What `gaps: split | mask` means. Split: slots are the frames and a gap ends the segment. Mask: a gap shorter than a
 * window is filled with empty slots (-1), which count in no loss, no state update and no statistic; a longer one splits.
 * No slot is listed: inside a stretch without a gap a slot's frame is arithmetic.
 */
import type { FrameTimes } from '../shards/index.js';
import { type SegmentOptions, segments } from './segments.js';
import type { Segment } from './types.js';

export interface Timeline {
  /** Segments whose `start` and `length` count slots. */
  readonly segments: Segment[];
  /** Number of slots. */
  readonly length: number;
  /** Frame in a slot, or -1 where there is none. */
  frame(slot: number): number;
}

export interface TimelineOptions extends SegmentOptions {
  gaps: 'split' | 'mask';
  /** Largest number of empty slots in a row; the window length less one. */
  longestFill: number;
}

/** Slots and segments for windows; with `gaps: 'split'` slot i is frame i. */
export function timeline(index: FrameTimes, stepMs: number | null, options: TimelineOptions): Timeline {
  const stretches = segments(index, stepMs, options);
  if (options.gaps === 'split' || stepMs === null)
    return { segments: stretches, length: index.length, frame: (slot) => slot };
  const starts = new Float64Array(stretches.length); // first slot of each stretch
  const joined: Segment[] = [];
  let length = 0;
  stretches.forEach((stretch, i) => {
    const empty = i > 0 ? emptySlots(index, stepMs, stretches[i - 1], stretch) : Infinity;
    const goesOn = empty <= options.longestFill;
    if (goesOn) length += empty;
    const start = goesOn ? joined[joined.length - 1].start : length;
    starts[i] = length;
    length += stretch.length;
    if (goesOn) joined.pop();
    joined.push({ series: stretch.series, start, length: length - start });
  });
  return { segments: joined, length, frame: frameInSlot(stretches, starts) };
}

/** Slots of stretch i begin at `starts[i]`; those between it and the next are empty. */
function frameInSlot(stretches: readonly Segment[], starts: Float64Array): Timeline['frame'] {
  let last = 0; // slots are mostly asked for one after the other
  return (slot) => {
    if (!(starts[last] <= slot && !(starts[last + 1] <= slot))) last = stretchAt(starts, slot);
    const within = slot - starts[last];
    return within < stretches[last].length ? stretches[last].start + within : -1;
  };
}

/** The last stretch that starts at or before a slot. */
function stretchAt(starts: Float64Array, slot: number): number {
  let [low, high] = [0, starts.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= slot) low = middle;
    else high = middle;
  }
  return low;
}

/** Missing steps between two stretches; Infinity where they are not neighbours in one series. */
function emptySlots(index: FrameTimes, stepMs: number, before: Segment, after: Segment): number {
  const last = before.start + before.length - 1;
  if (before.series !== after.series || after.start !== last + 1) return Infinity;
  return Math.max(0, Math.round((index.time[after.start] - index.time[last]) / stepMs) - 1);
}
