import { describe, expect, it } from 'vitest';
import {
  conformalP,
  decorrelationLag,
  fitPareto,
  peaksOverThreshold,
  smallestP,
  thin,
} from '../../pipeline/anomaly/index.js';
import { Random } from '../../pipeline/random.js';

describe('conformalP()', () => {
  it('is one more than the calm scores that are as high, over one more than all of them', () => {
    const calm = [1, 2, 2, 3];
    expect([0, 1, 2, 2.5, 3, 4].map((s) => conformalP(s, calm))).toEqual([1, 1, 4 / 5, 2 / 5, 2 / 5, 1 / 5]);
    expect(smallestP(4)).toBe(1 / 5);
  });
  it('is null without calm scores and for a frame without a score', () => {
    expect(conformalP(1, [])).toBeNull();
    expect(conformalP(Number.NaN, [1])).toBeNull();
    expect(smallestP(0)).toBeNull();
  });
  it('raises false alarms on fresh normal data as often as it says, inside the binomial interval', () => {
    const random = Random.from(5);
    const draw = (n: number) => Float64Array.from({ length: n }, () => random.normal() ** 2).sort();
    const [calm, fresh] = [draw(1999), draw(4000)];
    for (const alpha of [0.01, 0.05, 0.2]) {
      const alarms = fresh.filter((s) => conformalP(s, calm)! <= alpha).length;
      // Both samples scatter: the variance of the rate is alpha (1 - alpha) (1 / fresh + 1 / calm).
      const sd = Math.sqrt(alpha * (1 - alpha) * (1 / 4000 + 1 / 2000));
      expect(Math.abs(alarms / 4000 - alpha)).toBeLessThan(3 * sd);
    }
  });
});

describe('decorrelationLag()', () => {
  const segment = [{ series: 0, start: 0, length: 4000 }];
  const autoregressive = (phi: number) => {
    const random = Random.from(1);
    let state = 0;
    return Float64Array.from({ length: 4000 }, () => (state = phi * state + random.normal()));
  };
  it('finds where phi^lag falls under 1 / e', () => {
    expect(decorrelationLag(autoregressive(0), segment)).toBe(1);
    expect(Math.abs(decorrelationLag(autoregressive(0.9), segment) - 10)).toBeLessThanOrEqual(2); // -1 / ln .9 = 9.5
  });
  it('pairs no frames of two segments and leaves out frames without a score', () => {
    const score = autoregressive(0.9).map((s, i) => (i % 7 === 3 ? Number.NaN : s));
    expect(Math.abs(decorrelationLag(score, segment) - 10)).toBeLessThanOrEqual(2);
    const alone = Array.from({ length: 4000 }, (_, i) => ({ series: 0, start: i, length: 1 }));
    expect(decorrelationLag(score, alone)).toBe(1);
    expect(decorrelationLag([3, 3, 3], [{ series: 0, start: 0, length: 3 }])).toBe(1);
  });
});

describe('thin()', () => {
  const frames = Array.from({ length: 40 }, (_, i) => i);
  const series = frames.map((f) => Math.floor(f / 20));
  const time = frames.map((f) => (f % 20) * 10);
  it('keeps one frame of every block of time of every series, the same for the same seed', () => {
    const kept = thin({ frames, series, time, blockMs: 50 }, Random.from(1));
    expect(kept).toHaveLength(8);
    expect([...kept]).toEqual([...kept].sort((a, b) => a - b));
    expect(new Set(Array.from(kept, (f) => `${series[f]} ${Math.floor(time[f] / 50)}`)).size).toBe(8);
    expect(thin({ frames, series, time, blockMs: 50 }, Random.from(1))).toEqual(kept);
  });
  it('takes overlapping series together and frames without times one by one', () => {
    expect(thin({ frames, series, time, blockMs: 50, group: [0, 0] }, Random.from(1))).toHaveLength(4);
    expect(thin({ frames, series, time, blockMs: null }, Random.from(1))).toHaveLength(40);
  });
});

describe('peaksOverThreshold()', () => {
  it('finds shape and scale of a tail that is known', () => {
    const random = Random.from(2);
    const draw = (gamma: number) =>
      Float64Array.from({ length: 5_000 }, () => (2 * ((1 - random.uniform()) ** -gamma - 1)) / gamma);
    for (const gamma of [-0.2, 0.3]) {
      const found = fitPareto(draw(gamma));
      expect(Math.abs(found.gamma - gamma)).toBeLessThan(0.06);
      expect(Math.abs(found.sigma - 2)).toBeLessThan(0.16);
    }
  });
  it('comes near the true quantile of an exponential, where gamma is 0', () => {
    const random = Random.from(3);
    const values = Float64Array.from({ length: 20_000 }, () => -Math.log(1 - random.uniform()));
    const { zq, nt } = peaksOverThreshold(values, { q: 1e-4 });
    expect(nt).toBe(400);
    expect(Math.abs(zq / Math.log(1e4) - 1)).toBeLessThan(0.12);
  });
});
