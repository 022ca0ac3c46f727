/** Reference numbers shared beside the checkout (float64 NumPy); left out where they are not there. */
import { describe, expect, it } from 'vitest';
import { conformalP, peaksOverThreshold } from '../../pipeline/anomaly/index.js';
import { fixture, flat, hasFixtures } from '../nn/fixtures.js';

describe.skipIf(!hasFixtures)('pot_conformal.json', () => {
  const read = hasFixtures ? fixture('pot_conformal') : {};
  const number = (key: string) => read[key] as number;

  it('has the threshold, tail and quantile that peaksOverThreshold() finds', () => {
    const found = peaksOverThreshold(flat(read.calibration), { q: number('q') });
    expect(found.t).toBeCloseTo(number('t'), 9);
    expect(found.nt).toBe(number('nt'));
    expect(found.gamma).toBeCloseTo(number('gamma'), 4);
    expect(found.sigma).toBeCloseTo(number('sigma'), 4);
    expect(found.zq).toBeCloseTo(number('zq'), 3);
  });

  it('has the p-values that conformalP() gives', () => {
    const sorted = Float64Array.from(flat(read.calibration)).sort();
    const p = flat(read.test).map((s) => conformalP(s, sorted)!);
    for (const [i, expected] of flat(read.conformal_p).entries()) expect(p[i]).toBeCloseTo(expected, 12);
  });
});
