/** Running mean and standard deviation, exact in one pass (Welford 1962, in the pairwise form of Chan et al. 1983). */
export interface Moments {
  count: number;
  mean: number;
  /** Sum of squared deviations from the mean. */
  squares: number;
}

export const noMoments = (): Moments => ({ count: 0, mean: 0, squares: 0 });

/** Adds a batch given by its count, sum and sum of squares about `shift`. */
export function addBatch(
  moments: Moments,
  batch: { count: number; sum: number; squares: number; shift: number },
): void {
  if (batch.count === 0) return;
  const mean = batch.sum / batch.count;
  const squares = Math.max(0, batch.squares - batch.sum * mean);
  const total = moments.count + batch.count;
  const apart = batch.shift + mean - moments.mean;
  moments.squares += squares + (apart * apart * moments.count * batch.count) / total;
  moments.mean += (apart * batch.count) / total;
  moments.count = total;
}

/** Population standard deviation; 0 where nothing was counted. */
export function sdOf({ count, squares }: Moments): number {
  return count === 0 ? 0 : Math.sqrt(squares / count);
}
