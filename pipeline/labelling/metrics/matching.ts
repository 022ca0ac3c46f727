/** Predicted events against labelled ones: one to one, by overlap. Events are half-open ranges of frames. */

export interface Span {
  /** First frame. */
  start: number;
  /** One past the last frame. */
  end: number;
}

export interface Match {
  truth: number;
  predicted: number;
  /** Intersection over union. */
  overlap: number;
}

/** Pairs with intersection over union >= `least`, the closest first; every event is in one pair at most. */
export function matchEvents(
  truth: readonly Span[],
  predicted: readonly Span[],
  { least = 0.5 }: { least?: number } = {},
): Match[] {
  const candidates = overlapping(truth, predicted).filter(({ overlap }) => overlap >= least);
  candidates.sort((a, b) => b.overlap - a.overlap || a.truth - b.truth || a.predicted - b.predicted);
  const [takenTruth, takenPredicted] = [new Set<number>(), new Set<number>()];
  return candidates.filter((pair) => {
    if (takenTruth.has(pair.truth) || takenPredicted.has(pair.predicted)) return false;
    takenTruth.add(pair.truth);
    takenPredicted.add(pair.predicted);
    return true;
  });
}

/** Both lists ascend and their spans are disjoint, so one sweep finds every overlap. */
function overlapping(truth: readonly Span[], predicted: readonly Span[]): Match[] {
  const found: Match[] = [];
  for (let t = 0, p = 0; t < truth.length && p < predicted.length; ) {
    const [a, b] = [truth[t], predicted[p]];
    const shared = Math.min(a.end, b.end) - Math.max(a.start, b.start);
    if (shared > 0) {
      const union = a.end - a.start + (b.end - b.start) - shared;
      found.push({ truth: t, predicted: p, overlap: shared / union });
    }
    if (a.end < b.end) t++;
    else p++;
  }
  return found;
}
