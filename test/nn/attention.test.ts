import { beforeAll, describe, expect, it } from 'vitest';
import { elementAttention, squeezeExcite } from '../../pipeline/nn/index.js';
import { Random } from '../../pipeline/random.js';
import { gather, openBackend, reshape, sum, tensor, tensorCount, tidy } from '../../pipeline/tensor/index.js';
import { difference, fixture, flat, hasFixtures, toTensor } from './fixtures.js';

beforeAll(async () => {
  await openBackend();
});

const load = () => {
  const f = fixture('triple_attention');
  const parameters: elementAttention.Parameters = {
    squeeze: { kernel: toTensor(f.k1, 1, 1), bias: toTensor(f.c1) },
    spread: { kernel: toTensor(f.k2), bias: toTensor(f.c2) },
    logits: { kernel: toTensor(f.k3, 1, 1) },
    linear: { kernel: toTensor(f.ks, 1, 1), bias: toTensor(f.cs) },
  };
  const gate = { down: { kernel: toTensor(f.w1) }, up: { kernel: toTensor(f.w2) } };
  return { f, parameters, gate, x: toTensor(f.X) };
};

describe.skipIf(!hasFixtures)('triple attention', () => {
  it('gives the gate, attention logits, A, S and score of the reference to 1e-6', () => {
    const before = tensorCount();
    tidy(() => {
      const { f, parameters, gate, x } = load();
      const gated = squeezeExcite.apply(gate, x);
      expect(difference(gated.gate, flat(f.u))).toBeLessThan(1e-6);
      const found = elementAttention.apply(parameters, gated.y);
      expect(difference(found.logits, flat(f.Z))).toBeLessThan(1e-6);
      expect(difference(found.attention, flat(f.A_spatial))).toBeLessThan(1e-6);
      expect(difference(found.evidence, flat(f.S))).toBeLessThan(1e-6);
      expect(difference(found.score, flat(f.score_spatial_sum))).toBeLessThan(1e-6);
    });
    expect(tensorCount()).toBe(before);
  });

  it('has an attention that is not negative and sums to 1 over the locations of each class', () => {
    tidy(() => {
      const { parameters, x } = load();
      const { attention } = elementAttention.apply(parameters, x);
      const [frames, h, w, classes] = attention.shape;
      expect(Math.min(...attention.dataSync())).toBeGreaterThanOrEqual(0);
      const totals = sum(reshape(attention, [frames, h * w, classes]), 1).dataSync();
      for (const total of totals) expect(total).toBeCloseTo(1, 5);
    });
  });

  it('permutes A as locations are permuted when no convolution reaches a neighbour', () => {
    tidy(() => {
      const parameters = elementAttention.init({ in: 8, width: 6 }, Random.from(3));
      const only = new Float32Array(9 * 36);
      for (let i = 0; i < 6; i++) only[4 * 36 + i * 6 + i] = 1; // the 3x3 convolution passes its own cell on
      parameters.spread.kernel = tensor(only, [3, 3, 6, 6]);
      const { x } = load();
      const order = Int32Array.from(Random.from(5).permutation(16));
      const shuffled = reshape(gather(reshape(x, [2, 16, 8]), order, 1), [2, 4, 4, 8]);
      const plain = elementAttention.apply(parameters, x).attention;
      const expected = gather(reshape(plain, [2, 16]), order, 1).dataSync();
      expect(difference(elementAttention.apply(parameters, shuffled).attention, expected)).toBeLessThan(1e-6);
    });
  });

  it('takes the bottleneck of the gate from the input width, at least 1', () => {
    tidy(() => {
      expect(squeezeExcite.init({ channels: 64, reduction: 16 }, Random.from(1)).down.kernel.shape).toEqual([
        64, 4,
      ]);
      expect(squeezeExcite.init({ channels: 8, reduction: 16 }, Random.from(1)).down.kernel.shape).toEqual([
        8, 1,
      ]);
    });
  });

  it('starts with every hidden unit of the gate alive, whatever the seed', () => {
    tidy(() => {
      for (let seed = 0; seed < 40; seed++) {
        const { down } = squeezeExcite.init({ channels: 8, reduction: 4 }, Random.from(seed));
        expect(Math.min(...down.kernel.dataSync())).toBeGreaterThanOrEqual(0);
      }
    });
  });
});
