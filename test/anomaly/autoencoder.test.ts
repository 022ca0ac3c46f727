import { beforeAll, describe, expect, it } from 'vitest';
import { autoencoder, type WindowBatch, windowLoss } from '../../pipeline/anomaly/index.js';
import { Random } from '../../pipeline/random.js';
import {
  adamW,
  dispose,
  leaves,
  mean,
  openBackend,
  square,
  sub,
  tensor,
  tensorCount,
  tidy,
  valueAndGradients,
} from '../../pipeline/tensor/index.js';
import { learningRateAt } from '../../pipeline/training/index.js';

const [BATCH, TIME, FEATURES] = [3, 5, 2];
const EVALUATION = { training: false, random: null };
const cells = ['gru', 'lstm'] as const;
const net = (cell: 'gru' | 'lstm') => autoencoder({ cell, units: 6, latent: 3 }, FEATURES);
const normals = (n: number, seed = 1) => {
  const random = Random.from(seed);
  return Float32Array.from({ length: n }, () => random.normal());
};
const MASK = [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 1];

/** Random windows whose masked frames hold `hidden`. */
function masked(hidden: number): WindowBatch {
  const values = normals(BATCH * TIME * FEATURES).map((v, at) =>
    MASK[Math.floor(at / FEATURES)] ? v : hidden,
  );
  return { x: tensor(values, [BATCH, TIME, FEATURES]), mask: tensor(MASK, [BATCH, TIME]) };
}

beforeAll(async () => {
  await openBackend();
});

describe.each(cells)('the %s autoencoder', (cell) => {
  it('gives the same bits whatever masked frames hold, not a number too', () => {
    const before = tensorCount();
    tidy(() => {
      const parameters = net(cell).init(Random.from(2));
      const [zeros, large, none] = [0, 1e6, Number.NaN].map((hidden) =>
        Array.from(net(cell).nll(parameters, masked(hidden), EVALUATION).dataSync()),
      );
      expect(large).toEqual(zeros);
      expect(none).toEqual(zeros);
      expect(zeros.filter((_, i) => !MASK[i]).every((nats) => nats === 0)).toBe(true);
    });
    expect(tensorCount()).toBe(before);
  });

  it('scores a short window as it scores the same frames with padding in front', () => {
    tidy(() => {
      const parameters = net(cell).init(Random.from(2));
      const frames = normals(3 * FEATURES, 4);
      const short = { x: tensor(frames, [1, 3, FEATURES]), mask: tensor([1, 1, 1], [1, 3]) };
      const padded = new Float32Array(8 * FEATURES);
      padded.set(frames, 5 * FEATURES);
      const long = { x: tensor(padded, [1, 8, FEATURES]), mask: tensor([0, 0, 0, 0, 0, 1, 1, 1], [1, 8]) };
      const [a, b] = [short, long].map((w) => net(cell).nll(parameters, w, EVALUATION).dataSync());
      for (let t = 0; t < 3; t++) expect(b[5 + t]).toBeCloseTo(a[t], 5);
    });
  });

  it('has finite gradients for every parameter, extreme frames included', () => {
    const before = tensorCount();
    const parameters = tidy(() => net(cell).init(Random.from(2)));
    const batch = masked(1e6);
    const mode = { training: true, random: Random.from(3) };
    const { loss, gradients } = valueAndGradients(parameters, (p) => ({
      loss: windowLoss(net(cell).nll(p, batch, mode), batch, 11),
    }));
    expect(Number.isFinite(loss)).toBe(true);
    expect(leaves(gradients)).toHaveLength(leaves(parameters).length);
    for (const { name, tensor: gradient } of leaves(gradients))
      expect(gradient.dataSync().every(Number.isFinite), name).toBe(true);
    dispose(parameters);
    dispose(gradients);
    dispose([batch.x, batch.mask]);
    expect(tensorCount()).toBe(before);
  });
});

describe('windowLoss()', () => {
  it('leaves masked frames out of the sum and of what it is divided by', () => {
    tidy(() => {
      const parameters = net('gru').init(Random.from(2));
      const batch = masked(7);
      const nll = net('gru').nll(parameters, batch, EVALUATION);
      const present = MASK.reduce((sum, m) => sum + m, 0);
      const expected = Array.from(nll.dataSync()).reduce((sum, nats) => sum + nats, 0) / (present * FEATURES);
      expect(windowLoss(nll, batch, present).dataSync()[0]).toBeCloseTo(expected, 5);
    });
  });
});

describe('a window of one frame', () => {
  it('is decoded from the kept numbers alone, and its gradients are finite', () => {
    tidy(() => {
      const parameters = net('gru').init(Random.from(2));
      const one = { x: tensor(normals(FEATURES), [1, 1, FEATURES]), mask: tensor([1], [1, 1]) };
      const nll = net('gru').nll(parameters, one, EVALUATION);
      expect(nll.shape).toEqual([1, 1]);
      expect(Number.isFinite(nll.dataSync()[0])).toBe(true);
      const { gradients } = valueAndGradients(parameters, (p) => ({
        loss: windowLoss(net('gru').nll(p, one, EVALUATION), one, 1),
      }));
      expect(leaves(gradients).every(({ tensor: g }) => g.dataSync().every(Number.isFinite))).toBe(true);
    });
  });
});

describe('the autoencoder', () => {
  it('learns 32 sequences by heart', () => {
    const before = tensorCount();
    const [count, time, steps] = [32, 3, 150];
    const big = autoencoder({ cell: 'gru', units: 48, latent: 16 }, FEATURES);
    const x = tensor(normals(count * time * FEATURES, 9), [count, time, FEATURES]);
    const mask = tensor(new Float32Array(count * time).fill(1), [count, time]);
    const start = tidy(() => big.init(Random.from(0)));
    const optimiser = adamW(start);
    const error = () =>
      tidy(
        () => mean(square(sub(big.decode(optimiser.parameters, { x, mask }, EVALUATION), x))).dataSync()[0],
      );
    for (let step = 0; step < steps; step++) {
      const { gradients } = valueAndGradients(optimiser.parameters, (p) => ({
        loss: windowLoss(big.nll(p, { x, mask }, EVALUATION), { x, mask }, count * time),
      }));
      optimiser.step(gradients, learningRateAt(step, { steps, warmup: 0.05, learningRate: 0.02 }));
      dispose(gradients);
    }
    expect(error()).toBeLessThan(0.05);
    dispose(start);
    optimiser.dispose();
    dispose([x, mask]);
    expect(tensorCount()).toBe(before);
  });
});
