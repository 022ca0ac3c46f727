/** Peaks over threshold: a generalised Pareto tail by maximum likelihood with location 0 (Pickands 1975, Grimshaw 1993). */

export interface Pareto {
  /** Shape; 0 is the exponential. */
  gamma: number;
  /** Scale. */
  sigma: number;
}

export interface TailQuantile extends Pareto {
  /** Threshold: the `level` quantile. */
  t: number;
  /** Values above it. */
  nt: number;
  /** Value that is exceeded with probability `q`. */
  zq: number;
}

/** z_q = t + sigma / gamma ((q n / N_t)^-gamma - 1), its limit for gamma -> 0. */
export function peaksOverThreshold(
  values: ArrayLike<number>,
  { q, level = 0.98 }: { q: number; level?: number },
): TailQuantile {
  const sorted = Float64Array.from(values).sort();
  const t = linearQuantile(sorted, level);
  const excesses = sorted.filter((value) => value > t).map((value) => value - t);
  const { gamma, sigma } = fitPareto(excesses);
  const ratio = (q * sorted.length) / excesses.length;
  const reach = Math.abs(gamma) < 1e-9 ? -Math.log(ratio) : (ratio ** -gamma - 1) / gamma;
  return { t, nt: excesses.length, gamma, sigma, zq: t + sigma * reach };
}

/**
 * With theta = gamma / sigma the best gamma is mean log(1 + theta x), so one number is searched: a grid over where 1 +
 * theta x stays positive, then golden sections around its best point.
 */
export function fitPareto(excesses: ArrayLike<number>): Pareto {
  const x = Float64Array.from(excesses);
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  if (!(mean > 0)) throw new RangeError('a tail of at least one positive excess was expected');
  const largest = x.reduce((a, b) => Math.max(a, b), 0);
  const gammaAt = (theta: number) => x.reduce((sum, value) => sum + Math.log1p(theta * value), 0) / x.length;
  const likelihood = (theta: number) => {
    if (Math.abs(theta * mean) < 1e-9) return -Math.log(mean) - 1;
    const gamma = gammaAt(theta);
    return -Math.log(gamma / theta) - gamma - 1;
  };
  const lowest = -(1 - 1e-6) / largest; // gamma > -1 keeps the likelihood bounded
  const grid = Array.from({ length: 400 }, (_, i) =>
    i < 200 ? lowest * (1 - i / 200) : 10 ** (-4 + ((i - 200) * 6) / 199) / mean,
  ).filter((theta) => gammaAt(theta) > -1);
  const values = grid.map(likelihood);
  const best = values.reduce((at, value, i) => (value > values[at] ? i : at), 0);
  const theta = golden(likelihood, grid[Math.max(0, best - 1)], grid[Math.min(grid.length - 1, best + 1)]);
  if (Math.abs(theta * mean) < 1e-9) return { gamma: 0, sigma: mean };
  const gamma = gammaAt(theta);
  return { gamma, sigma: gamma / theta };
}

function golden(f: (x: number) => number, from: number, to: number): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [from, to];
  for (let i = 0; i < 120; i++) {
    const [c, d] = [b - ratio * (b - a), a + ratio * (b - a)];
    if (f(c) > f(d)) b = d;
    else a = c;
  }
  return (a + b) / 2;
}

/** Linear between neighbours, as numpy. */
export function linearQuantile(sorted: ArrayLike<number>, q: number): number {
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}
