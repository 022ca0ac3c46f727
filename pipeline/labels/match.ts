/** Mutual nearest neighbours of two ascending lists of times. */

export interface TimeMatch {
  /** For each frame the index of its label, or -1. */
  match: Int32Array;
  /** The first equal distance that leaves the choice open. */
  tie: { frames: number[]; labels: number[] } | null;
}

/** Pairs (frame, label) where each is the other's nearest and at most `tolerance` milliseconds away (inclusive). */
export function matchTimes(frames: Float64Array, labels: Float64Array, tolerance: number): TimeMatch {
  const match = new Int32Array(frames.length).fill(-1);
  let tie: TimeMatch['tie'] = null;
  for (let i = 0; i < frames.length && !tie; i++) {
    const near = nearest(labels, frames[i]);
    if (near.at < 0 || near.distance > tolerance) continue;
    const back = nearest(frames, labels[near.at]);
    if (near.tied) {
      const other = nearest(frames, labels[near.at + 1]);
      if (back.at === i || other.at === i) tie = { frames: [i], labels: [near.at, near.at + 1] };
    } else if (back.tied && (back.at === i || back.at + 1 === i))
      tie = { frames: [back.at, back.at + 1], labels: [near.at] };
    else if (back.at === i) match[i] = near.at;
  }
  return { match, tie };
}

/** Index of the nearest time in an ascending list (the earlier of two), and whether the next one is as near. */
function nearest(times: Float64Array, time: number): { at: number; distance: number; tied: boolean } {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle + 1;
    else high = middle;
  }
  const after = low < times.length ? times[low] - time : Infinity;
  const before = low > 0 ? time - times[low - 1] : Infinity;
  if (after === Infinity && before === Infinity) return { at: -1, distance: Infinity, tied: false };
  if (before <= after) return { at: low - 1, distance: before, tied: before === after };
  return { at: low, distance: after, tied: false };
}
