/**
 * Step-wise average precision, sum over thresholds of (R_k - R_(k-1)) P_k; equal scores are one threshold, so a
 * constant score gives the prevalence. Null without a positive. Scores must not be NaN.
 */
export function averagePrecision(scores: ArrayLike<number>, labels: ArrayLike<number>): number | null {
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[b] - scores[a]);
  let [hits, precisionSum] = [0, 0];
  for (let i = 0; i < order.length; ) {
    let [end, found] = [i, 0];
    while (end < order.length && scores[order[end]] === scores[order[i]]) found += labels[order[end++]];
    hits += found;
    precisionSum += (found * hits) / end;
    i = end;
  }
  return hits > 0 ? precisionSum / hits : null;
}
