/** Bootstrap over units: every draw takes as many units as there are, with replacement; all measures see the same draws. */
import type { Estimate } from '../../../schemas/records/index.js';
import { Random } from '../../random.js';
import type { ResamplingUnits } from './units.js';

export interface DrawOptions {
  /** Default 2000. */
  draws?: number;
  /** Default 0. */
  seed?: number;
}

export const DRAWS = 2000;
/** More undefined draws than this share, and there is no interval. */
const MOST_UNDEFINED = 0.1;

/** Calls `visit` with how often each unit was drawn; the same seed and number of units give the same draws. */
export function eachDraw(
  units: number,
  { draws = DRAWS, seed = 0 }: DrawOptions,
  visit: (counts: Uint16Array, draw: number) => void,
): void {
  const random = Random.from(seed).key('bootstrap');
  const counts = new Uint16Array(units);
  for (let draw = 0; draw < draws; draw++) {
    counts.fill(0);
    for (let i = 0; i < units; i++) counts[random.integer(units)]++;
    visit(counts, draw);
  }
}

/**
 * A value with its 95 % percentile interval. `drawn`: the value in every draw, NaN where undefined. An undefined value
 * is null with `reason`; too few events or blocks leave the value and take the interval.
 */
export function estimate(
  value: number | null,
  drawn: Float64Array | null,
  units: ResamplingUnits | null,
  reason: string,
): Estimate {
  if (value === null) return { value: null, ci95: null, reason };
  if (units && units.reason !== null) return { value, ci95: null, reason: units.reason };
  if (!units || !drawn) return { value, ci95: null, reason: 'no interval was asked for' };
  const defined = drawn.filter((x) => !Number.isNaN(x)).sort();
  const missing = drawn.length - defined.length;
  if (missing > MOST_UNDEFINED * drawn.length)
    return { value, ci95: null, reason: `not estimable: undefined in ${missing} of ${drawn.length} draws` };
  return { value, ci95: [quantile(defined, 0.025), quantile(defined, 0.975)] };
}

/** Linear quantile of ascending values. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}
