/** Thresholds of the hysteresis, chosen for the best CSI by frame after post-processing. */
import type { Segment } from '../../sequences/index.js';
import { postProcess } from '../events/hysteresis.js';
import { type Counts, contingencyMetrics } from '../metrics/contingency.js';

export interface ThresholdOptions {
  fillGap: number;
  minimumRun: number;
  /** One threshold for both; a second one is not worth fitting on few events. */
  single: boolean;
}

/** Frames times pairs tried stay below this. */
const WORK = 4e7;
const MOST_CANDIDATES = 40;

/** Labels below 0 count in nothing. Without a storm frame both thresholds are 0.5. */
export function chooseThresholds(
  probability: ArrayLike<number>,
  labels: ArrayLike<number>,
  segments: readonly Segment[],
  { fillGap, minimumRun, single }: ThresholdOptions,
): { high: number; low: number } {
  const values = candidates(probability, labels, single);
  const csi = (high: number, low: number) => {
    const mask = postProcess(probability, segments, { high, low, fillGap, minimumRun });
    return contingencyMetrics(judgedCounts(mask, probability, labels)).csi ?? -1;
  };
  let best = { high: 0.5, low: 0.5, csi: -1 };
  // One threshold first: two must be truly better.
  for (const value of values) best = better(best, { high: value, low: value, csi: csi(value, value) });
  if (!single)
    for (const high of values)
      for (const low of values) if (low < high) best = better(best, { high, low, csi: csi(high, low) });
  return { high: best.high, low: best.low };
}

interface Candidate {
  high: number;
  low: number;
  csi: number;
}

const better = (a: Candidate, b: Candidate): Candidate => (b.csi > a.csi + 1e-12 ? b : a);

/** Thresholds worth trying: quantiles of the storm frames' and of all frames' probabilities. */
function candidates(probability: ArrayLike<number>, labels: ArrayLike<number>, single: boolean): number[] {
  const pick = (keep: (i: number) => boolean) =>
    Float64Array.from([...Array(probability.length).keys()].filter(keep), (i) => probability[i]).sort();
  const known = (i: number) => !Number.isNaN(probability[i]) && labels[i] >= 0;
  const storms = pick((i) => known(i) && labels[i] === 1);
  if (storms.length === 0) return [];
  const all = pick(known);
  const budget = WORK / Math.max(1, probability.length);
  const count = Math.max(6, Math.min(MOST_CANDIDATES, Math.floor(single ? budget : Math.sqrt(2 * budget))));
  const found = new Set<number>();
  for (const [sorted, share] of [
    [storms, 0.5],
    [all, 0.5],
  ] as const) {
    const n = Math.ceil(count * share);
    for (let k = 0; k < n; k++) found.add(sorted[Math.floor((k * (sorted.length - 1)) / Math.max(1, n - 1))]);
  }
  return [...found].sort((a, b) => a - b);
}

function judgedCounts(mask: Uint8Array, probability: ArrayLike<number>, labels: ArrayLike<number>): Counts {
  const counts = { tp: 0, fp: 0, fn: 0, tn: 0 };
  for (let i = 0; i < mask.length; i++) {
    if (labels[i] < 0 || Number.isNaN(probability[i])) continue;
    if (mask[i]) labels[i] ? counts.tp++ : counts.fp++;
    else labels[i] ? counts.fn++ : counts.tn++;
  }
  return counts;
}
