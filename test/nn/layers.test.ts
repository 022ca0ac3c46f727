import { beforeAll, describe, expect, it } from 'vitest';
import { batchNorm, conv2d, dropout, EVALUATION, linear, normals } from '../../pipeline/nn/index.js';
import { Random } from '../../pipeline/random.js';
import { ones, openBackend, tensor, tensorCount, tidy } from '../../pipeline/tensor/index.js';
import { difference } from './fixtures.js';

beforeAll(async () => {
  await openBackend();
});
const training = (seed: number) => ({ training: true, random: Random.from(seed) });

describe('batchNorm', () => {
  it('gives new moving moments as a return value: momentum .99, the parameters stay', () => {
    const before = tensorCount();
    tidy(() => {
      const parameters = batchNorm.init({ channels: 2 });
      const x = tensor([1, 10, 3, 30, 5, 50, 7, 70], [4, 1, 1, 2]);
      const { y, update } = batchNorm.apply(parameters, x, training(0));
      expect(difference(update!.movingMean, [0.04, 0.4])).toBeLessThan(1e-5);
      expect(difference(update!.movingVariance, [0.99 + 0.05, 0.99 + 5])).toBeLessThan(1e-4);
      expect([...parameters.movingMean.dataSync()]).toEqual([0, 0]);
      expect(y.dataSync()[0]).toBeCloseTo(-3 / Math.sqrt(5.001), 4);
    });
    expect(tensorCount()).toBe(before);
  });

  it('depends on no batch mate in evaluation', () => {
    tidy(() => {
      const parameters = batchNorm.init({ channels: 1 });
      const alone = batchNorm.apply(parameters, tensor([2], [1, 1, 1, 1]), EVALUATION).y.dataSync()[0];
      const among = batchNorm.apply(parameters, tensor([2, 900], [2, 1, 1, 1]), EVALUATION).y.dataSync()[0];
      expect(among).toBe(alone);
    });
  });

  it('gives no NaN for a single value', () => {
    tidy(() => {
      const { y } = batchNorm.apply(batchNorm.init({ channels: 1 }), tensor([3], [1, 1, 1, 1]), training(0));
      expect(Math.abs(y.dataSync()[0])).toBeLessThan(1e-3);
    });
  });
});

describe('dropout', () => {
  it('is the identity outside training and the same mask for the same seed', () => {
    tidy(() => {
      const x = ones([4, 5, 5, 8]);
      expect(dropout.apply({ rate: 0.5 }, x, EVALUATION)).toBe(x);
      const one = dropout.apply({ rate: 0.5 }, x, training(7)).dataSync();
      expect(difference(dropout.apply({ rate: 0.5 }, x, training(7)), one)).toBe(0);
      expect(difference(dropout.apply({ rate: 0.5 }, x, training(8)), one)).toBeGreaterThan(0);
    });
  });

  it('drops its share and keeps the mean', () => {
    const mask = dropout.keepMask(200_000, 0.1, Random.from(3));
    const dropped = mask.filter((v) => v === 0).length / mask.length;
    expect(dropped).toBeGreaterThan(0.097);
    expect(dropped).toBeLessThan(0.103);
    expect(mask.reduce((a, b) => a + b, 0) / mask.length).toBeCloseTo(1, 2);
  });

  it('drops whole maps when asked to', () => {
    tidy(() => {
      const y = dropout.apply({ rate: 0.5, by: 'channel' }, ones([6, 3, 3, 8]), training(2)).dataSync();
      for (let frame = 0; frame < 6; frame++)
        for (let channel = 0; channel < 8; channel++) {
          const cells = Array.from({ length: 9 }, (_, cell) => y[(frame * 9 + cell) * 8 + channel]);
          expect(new Set(cells).size).toBe(1);
        }
      expect(new Set(y)).toEqual(new Set([0, 2]));
    });
  });
});

describe('start values and noise', () => {
  it('draw kernels inside the He and Glorot limits, the same from the same seed', () => {
    tidy(() => {
      const he = conv2d.init({ in: 4, out: 8 }, Random.from(1)).kernel.dataSync();
      const limit = Math.sqrt(6 / 36);
      expect(Math.max(...he.map(Math.abs))).toBeLessThanOrEqual(limit);
      expect(Math.max(...he.map(Math.abs))).toBeGreaterThan(0.9 * limit);
      const glorot = linear.init({ in: 20, out: 30 }, Random.from(1)).kernel.dataSync();
      expect(Math.max(...glorot.map(Math.abs))).toBeLessThanOrEqual(Math.sqrt(6 / 50));
      expect(conv2d.init({ in: 4, out: 8 }, Random.from(1)).kernel.dataSync()).toEqual(he);
    });
  });

  it('noise has mean 0, deviation 1 and the tails of a normal', () => {
    const values = normals(400_000, Random.from(11));
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    const beyond = values.filter((v) => Math.abs(v) > 1.959964).length / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.006);
    expect(Math.abs(variance - 1)).toBeLessThan(0.01);
    expect(Math.abs(beyond - 0.05)).toBeLessThan(0.002);
  });
});
