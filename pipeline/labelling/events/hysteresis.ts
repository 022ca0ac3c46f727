/**
 * From probabilities to storm frames. Two-sided hysteresis is for reanalysis: a run may begin before its peak is known.
 * The causal latch is for live labelling. Neither crosses from one segment to another.
 */
import type { Segment } from '../../sequences/index.js';

export interface Thresholds {
  /** A run needs one frame with at least this. */
  high: number;
  /** A run holds frames with at least this. */
  low: number;
}

export interface PostProcess extends Thresholds {
  /** Holes of up to this many frames inside a storm are filled. */
  fillGap: number;
  /** Runs shorter than this are dropped. */
  minimumRun: number;
}

/** 1 for storm frames of all segments; bad frames (NaN) may be bridged by `fillGap` alone. */
export function postProcess(
  probability: ArrayLike<number>,
  segments: readonly Segment[],
  { fillGap, minimumRun, ...thresholds }: PostProcess,
  { mode = 'two-sided' }: { mode?: 'two-sided' | 'causal' } = {},
): Uint8Array {
  const predicted = new Uint8Array(probability.length);
  const start = mode === 'causal' ? causalLatch : hysteresis;
  for (const segment of segments) {
    const p = slice(probability, segment);
    const mask = start(p, thresholds);
    // A causal mask must not be changed by later frames.
    const smooth = mode === 'causal' ? mask : dropShort(fillGaps(mask, fillGap), minimumRun);
    predicted.set(smooth, segment.start);
  }
  return predicted;
}

/** Runs of p >= low that hold a p >= high, both inclusive. */
export function hysteresis(p: ArrayLike<number>, { high, low }: Thresholds): Uint8Array {
  const mask = new Uint8Array(p.length);
  for (let i = 0; i < p.length; ) {
    let [end, reached] = [i, false];
    while (end < p.length && p[end] >= low) reached = p[end++] >= high || reached;
    if (reached) mask.fill(1, i, end);
    i = Math.max(end, i + 1);
  }
  return mask;
}

/** On from the first p >= high until p < low; frames before that first one stay calm. A bad frame changes nothing. */
export function causalLatch(p: ArrayLike<number>, { high, low }: Thresholds): Uint8Array {
  const mask = new Uint8Array(p.length);
  let on = 0;
  for (let i = 0; i < p.length; i++) {
    if (p[i] >= high) on = 1;
    else if (p[i] < low) on = 0;
    mask[i] = on;
  }
  return mask;
}

/** Fills holes of at most `most` frames between two storm frames. */
export function fillGaps(mask: Uint8Array, most: number): Uint8Array {
  const filled = mask.slice();
  let last = -1;
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i]) continue;
    if (last >= 0 && i - last - 1 <= most) filled.fill(1, last + 1, i);
    last = i;
  }
  return filled;
}

/** Clears runs shorter than `least` frames. */
export function dropShort(mask: Uint8Array, least: number): Uint8Array {
  const kept = mask.slice();
  for (const { start, end } of runs(mask)) if (end - start < least) kept.fill(0, start, end);
  return kept;
}

/** Half-open runs of ones. */
export function runs(mask: ArrayLike<number>): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] !== 1) continue;
    const start = i;
    while (i < mask.length && mask[i] === 1) i++;
    found.push({ start, end: i });
  }
  return found;
}

function slice(values: ArrayLike<number>, { start, length }: Segment): Float64Array {
  return Float64Array.from({ length }, (_, i) => values[start + i]);
}
