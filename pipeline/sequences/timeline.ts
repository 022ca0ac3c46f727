/**
 * What `gaps: split | mask` means. Split: slots are the frames and a gap ends the segment. Mask: a gap shorter than a
 * window is filled with empty slots (-1), which count in no loss, no state update and no statistic; a longer one splits.
 */
import type { FrameIndex } from '../shards/index.js';
import { type SegmentOptions, segments } from './segments.js';
import type { Segment } from './types.js';

export interface Timeline {
  /** Segments whose `start` and `length` count slots. */
  readonly segments: Segment[];
  /** Frame in each slot, or -1 where there is none. */
  readonly slots: Int32Array;
}

export interface TimelineOptions extends SegmentOptions {
  gaps: 'split' | 'mask';
  /** Largest number of empty slots in a row; the window length less one. */
  longestFill: number;
}

/** Slots and segments for windows; with `gaps: 'split'` slot i is frame i. */
export function timeline(index: FrameIndex, stepMs: number | null, options: TimelineOptions): Timeline {
  const stretches = segments(index, stepMs, options);
  if (options.gaps === 'split' || stepMs === null)
    return { segments: stretches, slots: Int32Array.from({ length: index.length }, (_, i) => i) };
  const slots: number[] = [];
  const joined: Segment[] = [];
  stretches.forEach((stretch, i) => {
    const empty = i > 0 ? emptySlots(index, stepMs, stretches[i - 1], stretch) : Infinity;
    const goesOn = empty <= options.longestFill;
    if (goesOn) for (let k = 0; k < empty; k++) slots.push(-1);
    const start = goesOn ? joined[joined.length - 1].start : slots.length;
    for (let k = 0; k < stretch.length; k++) slots.push(stretch.start + k);
    if (goesOn) joined.pop();
    joined.push({ series: stretch.series, start, length: slots.length - start });
  });
  return { segments: joined, slots: Int32Array.from(slots) };
}

/** Missing steps between two stretches; Infinity where they are not neighbours in one series. */
function emptySlots(index: FrameIndex, stepMs: number, before: Segment, after: Segment): number {
  const last = before.start + before.length - 1;
  if (before.series !== after.series || after.start !== last + 1) return Infinity;
  return Math.max(0, Math.round((index.time[after.start] - index.time[last]) / stepMs) - 1);
}
