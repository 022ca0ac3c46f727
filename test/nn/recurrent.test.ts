import { beforeAll, describe, expect, it } from 'vitest';
import { gru, lstm } from '../../pipeline/nn/index.js';
import { Random } from '../../pipeline/random.js';
import {
  dispose,
  leaves,
  openBackend,
  slice,
  sum,
  tensorCount,
  tidy,
  valueAndGradients,
} from '../../pipeline/tensor/index.js';
import { difference, fixture, flat, hasFixtures, toTensor } from './fixtures.js';

beforeAll(async () => {
  await openBackend();
});

describe.skipIf(!hasFixtures)('gru', () => {
  const load = () => {
    const f = fixture('gru');
    return {
      f,
      x: toTensor(f.x),
      parameters: {
        kernel: toTensor(f.kernel),
        recurrent: toTensor(f.recurrent),
        bias: toTensor(f.bias_reset_after),
      },
    };
  };

  it("equals Keras' reset_after numbers and leaves no tensor behind", () => {
    const before = tensorCount();
    tidy(() => {
      const { f, x, parameters } = load();
      const { y, state } = gru.apply(parameters, { x });
      expect(difference(y, flat(f.y_reset_after))).toBeLessThan(1e-6);
      expect(difference(state, flat((f.y_reset_after as number[][][]).map((s) => s[4])))).toBeLessThan(1e-6);
    });
    expect(tensorCount()).toBe(before);
  });

  it('carries the state over masked steps', () => {
    tidy(() => {
      const { f, x, parameters } = load();
      const { y } = gru.apply(parameters, { x, mask: toTensor(f.mask) });
      expect(difference(y, flat(f.y_reset_after_masked))).toBeLessThan(1e-6);
    });
  });

  it('gives the same outputs in two parts with the state carried between them', () => {
    tidy(() => {
      const { f, x, parameters } = load();
      const first = gru.apply(parameters, { x: slice(x, [0, 0, 0], [2, 3, 3]) });
      const second = gru.apply(parameters, { x: slice(x, [0, 3, 0], [2, 2, 3]), state: first.state });
      const expected = (f.y_reset_after as number[][][]).map((s) => s.slice(3));
      expect(difference(second.y, flat(expected))).toBeLessThan(1e-6);
    });
  });

  it("equals Keras' numbers with the reset before the product too", () => {
    tidy(() => {
      const { f, x, parameters } = load();
      const before = { ...parameters, bias: toTensor(f.bias_reset_before) };
      expect(difference(gru.apply(before, { x }).y, flat(f.y_reset_before))).toBeLessThan(1e-6);
      expect(gru.init({ in: 3, units: 4, reset: 'before' }, Random.from(1)).bias.shape).toEqual([12]);
    });
  });

  it('starts with orthogonal recurrent blocks and gives every parameter a gradient', () => {
    const parameters = gru.init({ in: 3, units: 5 }, Random.from(1));
    const recurrent = parameters.recurrent.dataSync();
    const column = (j: number) => Array.from({ length: 5 }, (_, i) => recurrent[i * 15 + j]);
    const dot = (a: number[], b: number[]) => a.reduce((total, v, i) => total + v * b[i], 0);
    expect(dot(column(0), column(0))).toBeCloseTo(1, 5);
    expect(dot(column(5), column(7))).toBeCloseTo(0, 5);
    const x = tidy(() => load().x);
    const before = tensorCount();
    const { gradients } = valueAndGradients(parameters, (p) => ({ loss: sum(gru.apply(p, { x }).y) }));
    expect(leaves(gradients).map(({ name }) => name)).toEqual(['kernel', 'recurrent', 'bias']);
    dispose(gradients);
    expect(tensorCount()).toBe(before);
    dispose([...leaves(parameters).map(({ tensor }) => tensor), x]);
  });
});

describe.skipIf(!hasFixtures)('lstm', () => {
  it("equals Keras' numbers forwards and backwards, outputs and both states", () => {
    const before = tensorCount();
    tidy(() => {
      const f = fixture('lstm');
      const parameters = {
        kernel: toTensor(f.kernel),
        recurrent: toTensor(f.recurrent),
        bias: toTensor(f.bias),
      };
      const x = toTensor(f.x);
      const { y, state } = lstm.apply(parameters, { x });
      expect(difference(y, flat(f.y))).toBeLessThan(1e-6);
      expect(difference(state.h, flat(f.h))).toBeLessThan(1e-6);
      expect(difference(state.c, flat(f.c))).toBeLessThan(1e-6);
      const back = lstm.apply(parameters, { x, backwards: true });
      expect(difference(back.y, flat(f.y_backward))).toBeLessThan(1e-6);
    });
    expect(tensorCount()).toBe(before);
  });

  it('starts with a forget bias of 0 where that is asked for', () => {
    tidy(() => {
      const { bias } = lstm.init({ in: 2, units: 3, forgetBias: false }, Random.from(1));
      expect(Math.max(...bias.dataSync())).toBe(0);
    });
  });

  it('starts with a forget bias of 1', () => {
    tidy(() => {
      const { bias } = lstm.init({ in: 2, units: 3 }, Random.from(1));
      expect([...bias.dataSync()]).toEqual([0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
    });
  });
});
