import { beforeAll, describe, expect, it } from 'vitest';
import {
  openBackend,
  sum,
  tensor,
  tensorCount,
  tidy,
  valueAndGradients,
} from '../../pipeline/tensor/index.js';
import { averagePrecision } from '../../pipeline/training/averagePrecision.js';
import { imbalance, lossValues, maskedMean } from '../../pipeline/training/loss.js';
import { learningRateAt } from '../../pipeline/training/schedule.js';
import { difference, fixture, flat, hasFixtures, toTensor } from '../nn/fixtures.js';

beforeAll(async () => {
  await openBackend();
});

describe.skipIf(!hasFixtures)('losses', () => {
  it('equal the reference value by value and as masked means', () => {
    const before = tensorCount();
    tidy(() => {
      const f = fixture('losses');
      const focal = f.focal as unknown as { values: number[][]; masked_mean: number };
      const [z, y, mask] = [toTensor(f.logits), toTensor(f.y), toTensor(f.mask)];
      const count = flat(f.mask).reduce((a, b) => a + b, 0);
      const weight = f.pos_weight as number;
      const cases = [
        ['bce', f.bce, f.bce_masked_mean],
        ['weighted', f.weighted_bce, f.weighted_bce_masked_mean],
        ['focal', focal.values, focal.masked_mean],
      ] as const;
      for (const [kind, values, mean] of cases) {
        const found = lossValues(kind, z, y, weight);
        expect(difference(found, flat(values as number[][])), kind).toBeLessThan(2e-6);
        expect(maskedMean(found, mask, count).dataSync()[0]).toBeCloseTo(mean as number, 5);
      }
    });
    expect(tensorCount()).toBe(before);
  });
});

describe('losses', () => {
  it('change in the term of frame t alone when the label of frame t changes', () => {
    tidy(() => {
      const z = tensor([0.3, -1.2, 2, 0], [1, 4]);
      const one = lossValues('weighted', z, tensor([0, 1, 0, 0], [1, 4]), 5).dataSync();
      const two = lossValues('weighted', z, tensor([0, 1, 1, 0], [1, 4]), 5).dataSync();
      expect([0, 1, 3].map((t) => two[t])).toEqual([0, 1, 3].map((t) => one[t]));
      expect(two[2]).not.toBe(one[2]);
    });
  });

  it.each(['bce', 'weighted', 'focal'] as const)(
    '%s stays finite with finite gradients at extreme logits',
    (kind) => {
      const z = tensor([-200, 200, -200, 200], [4]);
      const y = tensor([0, 1, 1, 0], [4]);
      const { loss, gradients } = valueAndGradients({ z }, (p) => ({
        loss: sum(lossValues(kind, p.z, y, 20)),
      }));
      expect(Number.isFinite(loss)).toBe(true);
      for (const g of (gradients.z as typeof z).dataSync()) expect(Number.isFinite(g)).toBe(true);
      z.dispose();
      y.dispose();
      gradients.z.dispose();
    },
  );
});

describe('imbalance', () => {
  it('weights positives by N-/N+ up to the cap and records the prior actually used', () => {
    const plain = imbalance(100, 900, { loss: 'weighted', weightCap: 20 });
    expect(plain.positiveWeight).toBe(9);
    expect(plain.prior).toBeCloseTo(Math.log(9), 12);
    expect(plain.startLogit).toBeCloseTo(0, 12);
    const capped = imbalance(10, 990, { loss: 'weighted', weightCap: 20 });
    expect(capped.prior).toBeCloseTo(Math.log(20), 12);
    expect(capped.startLogit).toBeCloseTo(Math.log((10 / 990) * 20), 12);
    expect(imbalance(10, 990, { loss: 'bce', weightCap: 20 }).prior).toBe(0);
    expect(imbalance(10, 990, { loss: 'focal', weightCap: 20 }).startLogit).toBeCloseTo(
      Math.log(10 / 990),
      12,
    );
  });
});

describe('learning rate', () => {
  it('rises linearly, peaks, and falls by half a cosine to 0', () => {
    const at = (step: number) => learningRateAt(step, { steps: 100, warmup: 0.1, learningRate: 2 });
    expect(at(0)).toBeCloseTo(0.2, 12);
    expect(at(9)).toBeCloseTo(2, 12);
    expect(at(10)).toBeCloseTo(2, 12);
    expect(at(55)).toBeCloseTo(1, 12);
    expect(at(100)).toBeCloseTo(0, 12);
  });
});

describe('average precision', () => {
  it('is the prevalence for a constant score, 1 for a perfect one and null without a positive', () => {
    expect(averagePrecision([1, 1, 1, 1], [1, 0, 0, 0])).toBe(0.25);
    expect(averagePrecision([4, 3, 2, 1], [1, 1, 0, 0])).toBe(1);
    expect(averagePrecision([4, 3], [0, 0])).toBeNull();
    expect(averagePrecision([0.9, 0.8, 0.7, 0.6], [0, 1, 0, 1])).toBeCloseTo(0.5, 12);
  });
});
