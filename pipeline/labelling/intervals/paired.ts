/** AUROC and average precision of several scores on the same frames, with intervals and paired gains over the same draws. */
import type { Estimate } from '../../../schemas/records/index.js';
import { type Ranking, rank, rankMetrics } from '../metrics/ranking.js';
import { DRAWS, type DrawOptions, eachDraw, estimate } from './draws.js';
import type { ResamplingUnits } from './units.js';

export interface Ranked {
  auroc: Estimate;
  ap: Estimate;
  /** In each draw; NaN where undefined. */
  draws: { auroc: Float64Array; ap: Float64Array };
}

const REASON = { auroc: 'one class only', ap: 'no storm frame' };

/**
 * `scores[k][i]` and `labels[i]` belong to entry i, whose unit is `unit[i]` (see `ResamplingUnits`, of `frames[i]`).
 * Scores must not be NaN.
 */
export function rankScores(
  scores: readonly ArrayLike<number>[],
  labels: ArrayLike<number>,
  unit: ArrayLike<number>,
  units: ResamplingUnits,
  options: DrawOptions = {},
): Ranked[] {
  const rankings = scores.map((score) => rank(score, labels));
  const drawn = drawAll(rankings, unit, units, options);
  return rankings.map((ranking, k) => {
    const whole = rankMetrics(ranking);
    return {
      auroc: estimate(whole.auroc, drawn[k].auroc, units, REASON.auroc),
      ap: estimate(whole.ap, drawn[k].ap, units, REASON.ap),
      draws: drawn[k],
    };
  });
}

/** Difference a - b with its interval over the draws both were given. */
export function pairedGain(a: Ranked, b: Ranked, of: 'auroc' | 'ap', units: ResamplingUnits): Estimate {
  const [x, y] = [a[of].value, b[of].value];
  const gain = x === null || y === null ? null : x - y;
  return estimate(
    gain,
    a.draws[of].map((value, i) => value - b.draws[of][i]),
    units,
    REASON[of],
  );
}

function drawAll(
  rankings: Ranking[],
  unit: ArrayLike<number>,
  units: ResamplingUnits,
  options: DrawOptions,
): { auroc: Float64Array; ap: Float64Array }[] {
  const draws = options.draws ?? DRAWS;
  const results = rankings.map(() => ({
    auroc: new Float64Array(draws).fill(Number.NaN),
    ap: new Float64Array(draws).fill(Number.NaN),
  }));
  if (units.reason !== null) return results;
  const sorted = rankings.map(({ order }) => Int32Array.from(order, (at) => unit[at]));
  eachDraw(units.count, options, (counts, draw) => {
    rankings.forEach((ranking, k) => {
      const { auroc, ap } = rankMetrics(ranking, sorted[k], counts);
      results[k].auroc[draw] = auroc ?? Number.NaN;
      results[k].ap[draw] = ap ?? Number.NaN;
    });
  });
  return results;
}
