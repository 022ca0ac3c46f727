/** Windows over segments as arithmetic: nothing is listed, the tail of every segment is covered. */
import { ConfigError } from '../errors.js';
import type { Segment, Windows } from './types.js';

export interface WindowOptions {
  /** Frames in a window. */
  length: number;
  /** Frames between window starts; at most `length`, or frames would be skipped. */
  stride: number;
}

/**
 * Windows of a segment of n frames, length L, stride s:
 *   n <= L: one window of n frames;   n > L: ceil((n - L) / s) + 1 windows, window j starts at min(j s, n - L).
 * So the last one ends with the segment and every frame lies in at least one. ConfigError: stride over length.
 */
export function windows(list: readonly Segment[], { length, stride }: WindowOptions): Windows {
  refuseHoles(length, stride);
  const first = new Float64Array(list.length + 1); // number of windows before each segment
  list.forEach((segment, i) => {
    first[i + 1] = first[i] + windowCount(segment.length, { length, stride });
  });
  return {
    length: first[list.length],
    windowLength: length,
    at(i) {
      const s = segmentOf(first, i);
      const { series, start, length: frames } = list[s];
      if (frames <= length) return { series, start, length: frames };
      return { series, start: start + Math.min((i - first[s]) * stride, frames - length), length };
    },
  };
}

/** Number of windows over a segment of `frames` frames. */
export function windowCount(frames: number, { length, stride }: WindowOptions): number {
  if (frames <= 0) return 0;
  return frames <= length ? 1 : Math.ceil((frames - length) / stride) + 1;
}

/** The segment that holds window i: the last one that starts at or before it and is not empty. */
function segmentOf(first: Float64Array, i: number): number {
  const total = first[first.length - 1];
  if (!(i >= 0 && i < total)) throw new RangeError(`window ${i} of ${total}`);
  let [low, high] = [0, first.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (first[middle] <= i) low = middle;
    else high = middle;
  }
  return low;
}

function refuseHoles(length: number, stride: number): void {
  if (Number.isInteger(length) && Number.isInteger(stride) && length >= 1 && stride >= 1 && stride <= length)
    return;
  throw new ConfigError(
    `windows of ${length} frames every ${stride} frames would not cover every frame exactly in order`,
    {
      hint: 'choose whole numbers with 1 <= windowStride <= windowLength',
      fields: { length, stride },
    },
  );
}
