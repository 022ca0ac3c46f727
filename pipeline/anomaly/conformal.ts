/** Split-conformal p-values: how often calm held-out frames score as high (Vovk et al. 2005). */

/** p = (1 + #{calibration >= score}) / (n + 1); `sorted` ascending. Null without calibration scores. */
export function conformalP(score: number, sorted: ArrayLike<number>): number | null {
  if (sorted.length === 0 || Number.isNaN(score)) return null;
  let [low, high] = [0, sorted.length]; // first place with a value of at least `score`
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < score) low = middle + 1;
    else high = middle;
  }
  return (1 + sorted.length - low) / (sorted.length + 1);
}

/** No frame can get a smaller p than this. */
export const smallestP = (calibration: number): number | null =>
  calibration === 0 ? null : 1 / (calibration + 1);
