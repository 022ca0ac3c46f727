import { describe, expect, it } from 'vitest';
import { calibrate } from '../../pipeline/anomaly/index.js';
import { Random } from '../../pipeline/random.js';
import { segments } from '../../pipeline/sequences/index.js';
import { small } from '../training/fixture.js';
import { made } from './fixture.js';

/** Exponential scores of the first `count` frames; every score the same where `tied`. */
function calibrated(count: number, tied = false) {
  const { store } = made({ frames: 1600 });
  const random = Random.from(4);
  const score = new Float64Array(1600).fill(Number.NaN);
  for (let f = 0; f < count; f++) score[f] = tied ? 3 : -Math.log(1 - random.uniform());
  const frames = Uint32Array.from({ length: 1600 }, (_, f) => f);
  const own = segments(store.index, store.description.stepMs);
  return calibrate({ store, segments: own, score, frames, random: Random.from(0) });
}

describe('calibrate()', () => {
  it('fits a tail where scores suffice, takes the quantile of fewer, and gives no threshold below 100', () => {
    const many = calibrated(1600).threshold!;
    expect(many.method).toMatch(/Pareto tail of 32 of 1600/);
    expect(Math.abs(many.value - Math.log(100))).toBeLessThan(0.5);
    expect(calibrated(150).threshold!.method).toBe('quantile of 150 held-out scores');
    expect(calibrated(99).threshold).toBeNull();
  });

  it('counts only frames that have a score, sorted', () => {
    const { scores, frames, lag, smallestP } = calibrated(300).calibration;
    expect(frames).toBe(300);
    expect(lag).toBe(1);
    expect(scores).toEqual([...scores].sort((a, b) => a - b));
    expect(smallestP).toBe(1 / 301);
  });

  it('gives no p-value without scores and survives scores that are all the same', () => {
    expect(calibrated(0)).toMatchObject({ calibration: { scores: [], smallestP: null }, threshold: null });
    expect(calibrated(1000, true).threshold).toMatchObject({
      value: 3,
      method: expect.stringMatching(/quantile/),
    });
  });

  it('draws one frame for all overlapping tiles of a time', () => {
    const { store } = small({ seriesCount: 3, frames: 20 });
    const tiles = store.description.series.map((series, i) => ({
      ...series,
      footprint: [2 * i, 40, 2 * i + 10, 50] as [number, number, number, number],
    }));
    const placed = { ...store, description: { ...store.description, series: tiles } };
    const random = Random.from(1);
    const score = Float64Array.from({ length: 60 }, () => random.normal());
    const frames = Uint32Array.from({ length: 60 }, (_, f) => f);
    const own = segments(store.index, store.description.stepMs);
    const { scores, words } = calibrate({ store: placed, segments: own, score, frames, random }).calibration;
    expect(scores.length).toBeLessThanOrEqual(20);
    expect(words).toMatch(/neighbouring tiles/);
  });
});
