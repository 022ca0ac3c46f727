import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend, tensor, tensorCount } from '../../pipeline/tensor/index.js';
import { type Broken, brokenStep } from '../../pipeline/training/guard.js';

beforeAll(async () => {
  await openBackend();
});

const one = (value: number) => tensor([1, value], [2]);

describe('a step that cannot be taken', () => {
  const time = Date.UTC(2020, 0, 1);
  const said = (changed: Partial<Broken>) => {
    const broken: Broken = {
      step: 6,
      learningRate: 0.1,
      loss: Number.NaN,
      norm: Number.NaN,
      gradients: { a: one(2), b: one(Number.NaN) },
      parameters: { a: one(1), b: one(1) },
      x: tensor(new Float32Array(12), [3, 2, 2]),
      times: [time, time + 3_600_000, time + 7_200_000],
      ...changed,
    };
    return brokenStep(broken);
  };

  it('names the times of the frames whose values are not finite', () => {
    const x = tensor([0, 0, 0, 0, 1, Number.NaN, 0, 0, 0, 0, Number.POSITIVE_INFINITY, 0], [3, 2, 2]);
    const error = said({ x });
    expect(error.message).toContain(
      'at step 7; the frames 2020-01-01T01:00:00.000Z, 2020-01-01T02:00:00.000Z',
    );
    expect(said({ x, times: null }).fields.frames).toEqual(['row 1', 'row 2']);
  });

  it('else the parameters, else those whose gradient is not finite', () => {
    const parameters = { first: { kernel: one(1) }, second: { kernel: one(Number.NaN) } };
    expect(said({ parameters }).message).toContain('the parameters second/kernel are not finite');
    const error = said({ loss: 1 });
    expect(error.message).toMatch(/the gradients have norm NaN at step 7; all frames .* are not: b$/);
    expect(error.hint).toContain('learningRate');
  });

  it('is told without a tensor left behind', () => {
    const made = 4 + 1;
    const before = tensorCount();
    said({});
    expect(tensorCount()).toBe(before + made);
  });
});
