/** Measures of order: AUROC and step-wise average precision, ties as one threshold, weighted by unit for resampling. */

/** Entries by falling score; `ends[g]` is one past the last entry of the g-th group of equal scores. */
export interface Ranking {
  /** Positions into the arrays that were ranked. */
  readonly order: Uint32Array;
  readonly ends: Uint32Array;
  /** 1 for positives, in ranked order. */
  readonly label: Uint8Array;
}

export interface RankMetrics {
  /** Null where one class is missing. */
  auroc: number | null;
  /** Null without a positive. */
  ap: number | null;
}

/** Chance that a positive scores above a negative, a tie counting half; null where one class is missing. */
export function auroc(scores: ArrayLike<number>, labels: ArrayLike<number>): number | null {
  return rankMetrics(rank(scores, labels)).auroc;
}

/** Sum over thresholds of (R_k - R_(k-1)) P_k; a constant score gives the prevalence. Null without a positive. */
export function averagePrecision(scores: ArrayLike<number>, labels: ArrayLike<number>): number | null {
  return rankMetrics(rank(scores, labels)).ap;
}

/** Sorts once; scores must not be NaN. Labels are 0 or 1. */
export function rank(scores: ArrayLike<number>, labels: ArrayLike<number>): Ranking {
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i);
  order.sort((a, b) => scores[b] - scores[a] || a - b);
  const ends: number[] = [];
  for (let i = 1; i <= order.length; i++)
    if (i === order.length || scores[order[i]] !== scores[order[i - 1]]) ends.push(i);
  return { order, ends: Uint32Array.from(ends), label: Uint8Array.from(order, (at) => labels[at]) };
}

/**
 * Both measures in one pass. Entry i of the ranking counts `weights[unit[i]]` times (`unit` in ranked order); without
 * them each counts once.
 */
export function rankMetrics(
  { ends, label }: Ranking,
  unit: ArrayLike<number> = new Uint8Array(label.length),
  weights: ArrayLike<number> = [1],
): RankMetrics {
  let [hits, misses, area, precision] = [0, 0, 0, 0];
  for (let group = 0, i = 0; group < ends.length; group++) {
    let [positive, negative] = [0, 0];
    for (const end = ends[group]; i < end; i++) {
      if (label[i]) positive += weights[unit[i]];
      else negative += weights[unit[i]];
    }
    area += negative * (hits + positive / 2);
    hits += positive;
    misses += negative;
    if (positive > 0) precision += (positive * hits) / (hits + misses);
  }
  return {
    auroc: hits > 0 && misses > 0 ? area / (hits * misses) : null,
    ap: hits > 0 ? precision / hits : null,
  };
}

/** (false positive rate, hit rate) and (recall, precision) along falling thresholds, at most `points` of each. */
export function curves(
  { ends, label }: Ranking,
  points = 200,
): { roc: [number, number][]; pr: [number, number][] } {
  const positives = label.reduce((n, y) => n + y, 0);
  const negatives = label.length - positives;
  if (positives === 0 || negatives === 0) return { roc: [], pr: [] };
  const roc: [number, number][] = [[0, 0]];
  const pr: [number, number][] = [];
  const step = Math.max(1, ends.length / (points - 1));
  let [hits, i, next] = [0, 0, 0];
  ends.forEach((end, group) => {
    for (; i < end; i++) hits += label[i];
    if (group < next && group !== ends.length - 1) return;
    next += step;
    roc.push([(end - hits) / negatives, hits / positives]);
    pr.push([hits / positives, hits / end]);
  });
  return { roc, pr };
}
