/** Measures of probabilities: Brier, log loss, calibration error, reliability. */
import type { Reliability } from '../../../schemas/records/index.js';

export const BINS = 15;
/** Probabilities are kept this far from 0 and 1 in the log loss, so that one sure mistake is not infinite. */
const LEAST = 1e-15;

/** Mean squared difference; null for no entries. */
export function brier(probability: ArrayLike<number>, labels: ArrayLike<number>): number | null {
  return mean(labels.length, (i) => (probability[i] - labels[i]) ** 2);
}

/** 1 - Brier / Brier of `reference` (one probability, or one an entry); null where the reference is perfect. */
export function brierSkill(
  probability: ArrayLike<number>,
  labels: ArrayLike<number>,
  reference: number | ArrayLike<number>,
): number | null {
  const at = (i: number) => (typeof reference === 'number' ? reference : reference[i]);
  const [own, other] = [brier(probability, labels), mean(labels.length, (i) => (at(i) - labels[i]) ** 2)];
  return own === null || !other ? null : 1 - own / other;
}

/** Mean negative log-likelihood in nats. */
export function logLoss(probability: ArrayLike<number>, labels: ArrayLike<number>): number | null {
  return mean(labels.length, (i) => logLossOf(probability[i], labels[i]));
}

export function logLossOf(probability: number, label: number): number {
  const p = Math.min(1 - LEAST, Math.max(LEAST, probability));
  return label ? -Math.log(p) : -Math.log1p(-p);
}

/** Bins as borders: entry in bin b has edges[b] <= p < edges[b + 1]; the last bin is closed. */
export type Edges = Float64Array;

export function equalWidthEdges(bins = BINS): Edges {
  return Float64Array.from({ length: bins + 1 }, (_, b) => b / bins);
}

/** Borders at quantiles, so that bins hold equal numbers; equal probabilities share a bin, so there may be fewer. */
export function equalMassEdges(probability: ArrayLike<number>, bins = BINS): Edges {
  const sorted = Float64Array.from(probability).sort();
  const edges = [0];
  for (let b = 1; b < bins; b++) {
    const edge = sorted[Math.floor((b * sorted.length) / bins)];
    if (edge > edges[edges.length - 1] && edge < 1) edges.push(edge);
  }
  return Float64Array.from([...edges, 1]);
}

export function binOf(edges: Edges, p: number): number {
  let [low, high] = [0, edges.length - 2];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (edges[middle] <= p) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** For each bin: number, mean probability, observed frequency. */
export function reliability(
  probability: ArrayLike<number>,
  labels: ArrayLike<number>,
  edges: Edges = equalWidthEdges(),
): Reliability[] {
  const bins = edges.length - 1;
  const sums = new Float64Array(3 * bins);
  for (let i = 0; i < labels.length; i++) {
    const at = 3 * binOf(edges, probability[i]);
    sums[at]++;
    sums[at + 1] += probability[i];
    sums[at + 2] += labels[i];
  }
  return Array.from({ length: bins }, (_, b) => {
    const [n, p, y] = sums.subarray(3 * b, 3 * b + 3);
    return {
      from: edges[b],
      to: edges[b + 1],
      n,
      meanProbability: n > 0 ? p / n : null,
      observed: n > 0 ? y / n : null,
    };
  });
}

/** Expected calibration error: sum over bins of share x |mean probability - observed frequency|. */
export function calibrationError(
  probability: ArrayLike<number>,
  labels: ArrayLike<number>,
  edges: Edges = equalWidthEdges(),
): number | null {
  if (labels.length === 0) return null;
  return reliability(probability, labels, edges).reduce(
    (sum, { n, meanProbability, observed }) =>
      sum + (n > 0 ? (n * Math.abs(meanProbability! - observed!)) / labels.length : 0),
    0,
  );
}

function mean(n: number, of: (i: number) => number): number | null {
  if (n === 0) return null;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += of(i);
  return sum / n;
}
