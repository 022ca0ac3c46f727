import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { gaussianNll } from '../../pipeline/anomaly/index.js';
import { openBackend, tensor, tensorCount, tidy } from '../../pipeline/tensor/index.js';

const golden: { observed: number[][]; mean: number[][]; logScale: number[]; nll: number[] } = JSON.parse(
  readFileSync(new URL('../golden/anomaly.json', import.meta.url), 'utf8'),
);

beforeAll(async () => {
  await openBackend();
});

describe('gaussianNll()', () => {
  it('equals minus the log of the normal density, summed over features', () => {
    const before = tensorCount();
    const { observed, mean, logScale, nll } = golden;
    const found = tidy(() =>
      gaussianNll(
        tensor(observed.flat(), [6, 4]),
        tensor(mean.flat(), [6, 4]),
        tensor(logScale, [4]),
      ).dataSync(),
    );
    for (const [i, value] of nll.entries()) expect(found[i]).toBeCloseTo(value, 4);
    expect(tensorCount()).toBe(before);
  });

  it('is half the log of 2 pi a feature where the mean is right and the scale 1', () => {
    tidy(() => {
      const x = tensor([5, -3], [1, 2]);
      const [found] = gaussianNll(x, x, tensor([0, 0], [2])).dataSync();
      expect(found).toBeCloseTo(Math.log(2 * Math.PI), 6);
    });
  });
});
