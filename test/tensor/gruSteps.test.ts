import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../pipeline/random.js';
import * as t from '../../pipeline/tensor/index.js';
import { difference } from '../nn/fixtures.js';

const [BATCH, TIME, UNITS] = [3, 6, 4];
const random = Random.from(3);
const some = (shape: number[]) =>
  t.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0.7 * random.normal()),
    shape,
  );

/** The same recurrence, operation by operation. */
function written({ projected, recurrent, bias, state, mask, backwards }: t.GruSteps): t.Tensor {
  const outputs: t.Tensor[] = [];
  let h = state;
  for (let k = 0; k < TIME; k++) {
    const at = backwards ? TIME - 1 - k : k;
    const step = t.reshape(t.slice(projected, [0, at, 0], [BATCH, 1, 3 * UNITS]), [BATCH, 3 * UNITS]);
    const product = t.add(t.matMul(h, recurrent), bias);
    const part = (x: t.Tensor, n: number) => t.slice(x, [0, n * UNITS], [BATCH, UNITS]);
    const [update, reset] = [0, 1].map((n) => t.sigmoid(t.add(part(step, n), part(product, n))));
    const candidate = t.tanh(t.add(part(step, 2), t.mul(reset, part(product, 2))));
    const after = t.add(t.mul(update, h), t.mul(t.sub(1, update), candidate));
    const counts = mask ? t.slice(mask, [0, at], [BATCH, 1]) : t.ones([BATCH, 1]);
    h = t.add(t.mul(counts, after), t.mul(t.sub(1, counts), h));
    outputs[at] = h;
  }
  return t.stack(outputs, 1);
}

beforeAll(async () => {
  await t.openBackend();
});

describe('gruSteps', () => {
  it.each([
    { masked: false, backwards: false },
    { masked: true, backwards: false },
    { masked: true, backwards: true },
  ])('has the values and gradients of its operations: %j', ({ masked, backwards }) => {
    const parameters = {
      projected: some([BATCH, TIME, 3 * UNITS]),
      recurrent: some([UNITS, 3 * UNITS]),
      bias: some([3 * UNITS]),
      state: some([BATCH, UNITS]),
    };
    const mask = masked
      ? t.tensor([1, 1, 0, 1, 1, 1, 0, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0], [BATCH, TIME])
      : null;
    const weights = some([BATCH, TIME, UNITS]);
    const before = t.tensorCount();
    const run = (of: (input: t.GruSteps) => t.Tensor) => {
      const { loss, gradients } = t.valueAndGradients(parameters, (p) => ({
        loss: t.sum(t.mul(of({ ...p, mask, backwards }), weights)),
      }));
      const values = t.leaves(gradients).map(({ tensor }) => tensor.dataSync().slice());
      t.dispose(gradients);
      return { loss, values };
    };
    const [one, other] = [run(t.gruSteps), run(written)];
    expect(Math.abs(one.loss - other.loss)).toBeLessThan(1e-5 * Math.max(1, Math.abs(other.loss)));
    expect(one.values).toHaveLength(4);
    one.values.forEach((values, i) => {
      expect(difference(values, other.values[i])).toBeLessThan(2e-6);
    });
    expect(t.tensorCount()).toBe(before);
    t.dispose([parameters, weights, ...(mask ? [mask] : [])]);
  });
});
