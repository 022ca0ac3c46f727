import { beforeAll, describe, expect, it } from 'vitest';
import { tcn } from '../../pipeline/nn/index.js';
import { Random } from '../../pipeline/random.js';
import {
  add,
  dispose,
  leaves,
  openBackend,
  slice,
  sum,
  type Tensor,
  tensor,
  tensorCount,
  tidy,
  valueAndGradients,
} from '../../pipeline/tensor/index.js';
import { difference } from './fixtures.js';
import { golden, unpacked, unpackedTree } from './golden.js';

const reference = golden('attention').tcn;
const { units, kernel, dilations } = reference;
const sizes = { units, kernel, dilations };
const load = () => ({
  parameters: unpackedTree(reference.parameters) as tcn.Parameters,
  x: unpacked(reference.x) as Tensor,
});

beforeAll(async () => {
  await openBackend();
});

describe('temporal convolutions', () => {
  it("equal PyTorch's dilated convolutions and leave no tensor behind", () => {
    const before = tensorCount();
    tidy(() => {
      const { parameters, x } = load();
      const { y, state } = tcn.apply(parameters, sizes, { x });
      expect(difference(y, reference.y.values)).toBeLessThan(2e-6);
      expect(state.shape).toEqual([2, tcn.stateSize(sizes)]);
    });
    expect(tensorCount()).toBe(before);
  });

  it('see as many steps as they say', () => {
    tidy(() => {
      const { parameters, x } = load();
      expect(tcn.reach(sizes)).toBe(7);
      const wide = { units: 3, kernel: 2, dilations: [1, 3] };
      expect(tcn.reach(wide)).toBe(5);
      const own = tcn.init({ in: 4, ...wide }, Random.from(2));
      for (const layer of [own.layer0, own.layer1]) layer.bias = add(layer.bias!, 20); // no relu is shut
      const plain = tcn.apply(own, wide, { x }).y.arraySync() as number[][][];
      const values = x.dataSync().slice();
      values[4 * 1] += 1; // step 1 of row 0
      const moved = tcn.apply(own, wide, { x: tensor(values, x.shape) }).y.arraySync() as number[][][];
      const changed = plain[0].map((row, t) => row.some((v, u) => v !== moved[0][t][u]));
      expect(changed).toEqual([false, true, true, false, true, true, false]);
      expect(moved[1]).toEqual(plain[1]);
      dispose(parameters);
    });
  });

  it('give the same step by step, with the state carried, as over the whole sequence', () => {
    tidy(() => {
      const { parameters, x } = load();
      let state: Tensor | null = null;
      for (let t = 0; t < 7; t++) {
        const step = tcn.apply(parameters, sizes, { x: slice(x, [0, t, 0], [2, 1, 4]), state });
        const expected = slice(unpacked(reference.y), [0, t, 0], [2, 1, units]).dataSync();
        expect(difference(step.y, expected)).toBeLessThan(1e-5);
        state = step.state;
      }
    });
  });

  it('pass masked steps over as if they were not there and repeat the last output for them', () => {
    tidy(() => {
      const { parameters, x } = load();
      // Row 0: valid, masked, masked, valid … ; row 1 begins with a masked step.
      const mask = [
        [1, 0, 0, 1, 1, 0, 1],
        [0, 1, 1, 1, 0, 0, 1],
      ];
      const whole = tcn.apply(parameters, sizes, { x, mask: tensor(mask.flat(), [2, 7]) });
      const found = whole.y.arraySync() as number[][][];
      for (const [row, own] of mask.entries()) {
        const steps = own.flatMap((valid, t) => (valid ? [t] : []));
        const line = x.arraySync() as number[][][];
        const kept = tensor(
          steps.flatMap((t) => line[row][t]),
          [1, steps.length, 4],
        );
        const alone = tcn.apply(parameters, sizes, { x: kept });
        const expected = alone.y.arraySync() as number[][][];
        let last = new Array(units).fill(0);
        own.forEach((valid, t) => {
          if (valid) last = expected[0][steps.indexOf(t)];
          for (const [u, v] of last.entries()) expect(found[row][t][u]).toBeCloseTo(v, 5);
        });
        const state = slice(whole.state, [row, 0], [1, tcn.stateSize(sizes)]);
        expect(difference(state, alone.state.dataSync())).toBeLessThan(1e-5);
      }
    });
  });

  it('carry state and masks together: two parts equal the whole', () => {
    tidy(() => {
      const { parameters, x } = load();
      const mask = tensor([1, 1, 0, 0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 0], [2, 7]);
      const part = (from: number, to: number, state: Tensor | null) =>
        tcn.apply(parameters, sizes, {
          x: slice(x, [0, from, 0], [2, to - from, 4]),
          mask: slice(mask, [0, from], [2, to - from]),
          state,
        });
      const whole = tcn.apply(parameters, sizes, { x, mask });
      const first = part(0, 3, null);
      const second = part(3, 7, first.state);
      expect(difference(second.y, slice(whole.y, [0, 3, 0], [2, 4, units]).dataSync())).toBeLessThan(1e-5);
      expect(difference(second.state, whole.state.dataSync())).toBeLessThan(1e-5);
    });
  });

  it('give every parameter a gradient, with and without a mask', () => {
    const before = tensorCount();
    const { parameters, x } = load();
    for (const mask of [null, tensor([1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1], [2, 7])]) {
      const { gradients } = valueAndGradients(parameters, (p) => ({
        loss: sum(tcn.apply(p as tcn.Parameters, sizes, { x, mask }).y),
      }));
      const all = leaves(gradients);
      expect(all).toHaveLength(6);
      for (const { name, tensor: t } of all)
        expect(Math.max(...t.dataSync().map(Math.abs)), name).toBeGreaterThan(0);
      dispose([gradients]);
      mask?.dispose();
    }
    dispose([parameters, x]);
    expect(tensorCount()).toBe(before);
  });
});
