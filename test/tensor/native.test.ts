import { beforeAll, describe, expect, test } from 'vitest';
import { defaults } from '../../pipeline/tensor/adam/adamw.js';
import { portableAdamW } from '../../pipeline/tensor/adam/portable.js';
import { tf } from '../../pipeline/tensor/backend/tfjs.js';
import { batchNormTraining, composed } from '../../pipeline/tensor/batchnorm.js';
import { registerCommonGradients } from '../../pipeline/tensor/gradients/registered.js';
import {
  adamW,
  dispose,
  installedAddon,
  openBackend,
  tensor,
  valueAndGradients,
} from '../../pipeline/tensor/index.js';
import { registerNativeGradients } from '../../pipeline/tensor/native/register.js';
import { matMul, maxPool, mul, relu, sum } from '../../pipeline/tensor/operations.js';
import { backendSpec, near, values } from './spec.js';

const reason = installedAddon()
  ? ''
  : ' (skipped: native TensorFlow is not installed; stormreel backend install)';

describe.skipIf(reason)(`native TensorFlow${reason}`, () => {
  beforeAll(async () => {
    await openBackend({ backend: 'tensorflow' });
  });
  backendSpec();

  test('max pool shares its gradient among equal maxima', () => {
    const x = tensor([1, 1, 0, 2, 1, 0, 2, 2], [1, 2, 4, 1]);
    const { gradients } = valueAndGradients({ x }, (p) => ({
      loss: sum(mul(maxPool(p.x, { size: 2 }), tensor([3, 6], [1, 1, 2, 1]))),
    }));
    expect([...gradients.x.dataSync()]).toEqual([1, 1, 0, 2, 1, 0, 2, 2]);
    dispose([x, gradients]);
  });

  test('fused and composed batch norm agree to 1e-5, values and gradients', () => {
    const p = {
      x: tensor(values(240), [2, 4, 6, 5]),
      gamma: tensor(values(5, 2), [5]),
      beta: tensor(values(5, 3), [5]),
    };
    const weights = tensor(values(240, 4), [2, 4, 6, 5]);
    const [fused, plain] = [
      batchNormTraining,
      (x: never, o: typeof p & { epsilon: number }) => composed(x, o.gamma, o.beta, o.epsilon),
    ].map((normalise) =>
      valueAndGradients(p, (q) => {
        const { y, mean, variance } = normalise(q.x as never, { ...q, epsilon: 1e-3 });
        return { loss: sum(mul(y, weights)), aux: { y, mean, variance } };
      }),
    );
    for (const key of ['y', 'mean', 'variance'] as const) near(fused.aux![key], plain.aux![key], 1e-5);
    for (const key of ['x', 'gamma', 'beta'] as const) near(fused.gradients[key], plain.gradients[key], 1e-5);
    dispose([p, weights, fused.aux!, plain.aux!, fused.gradients, plain.gradients]);
  });

  test('fused and portable relu agree exactly, at 0 too', () => {
    const x = tensor([...values(97), 0, -0, 1e30], [10, 10]);
    const weights = tensor(values(100, 2), [10, 10]);
    const run = () =>
      valueAndGradients({ x }, (p) => {
        const y = relu(p.x);
        return { loss: sum(mul(y, weights)), aux: y };
      });
    const fused = run();
    registerCommonGradients(); // the portable one in its place
    const portable = run();
    registerNativeGradients();
    near(fused.gradients.x, portable.gradients.x, 1e-12);
    near(fused.aux!, portable.aux!, 1e-12);
    dispose([x, weights, fused.aux!, portable.aux!, fused.gradients, portable.gradients]);
  });

  test.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('matrix products by MatMul and by TensorFlow.js agree, transposed %s and %s', (ta, tb) => {
    const p = {
      a: tensor(values(35), ta ? [7, 5] : [5, 7]),
      b: tensor(values(21, 2), tb ? [3, 7] : [7, 3]),
    };
    const weights = tensor(values(15, 3), [5, 3]);
    const [fused, portable] = [matMul, tf.matMul].map((product) =>
      valueAndGradients(p, (q) => {
        const y = product(q.a, q.b, ta, tb);
        return { loss: sum(mul(y, weights)), aux: y };
      }),
    );
    near(fused.aux!, portable.aux!, 1e-6);
    for (const key of ['a', 'b'] as const) near(fused.gradients[key], portable.gradients[key], 1e-6);
    dispose([p, weights, fused.aux!, portable.aux!, fused.gradients, portable.gradients]);
  });

  test('fused and portable AdamW agree to 1e-5 over 20 steps, also after a restore from one another', () => {
    const start = { conv: { kernel: tensor(values(54), [3, 3, 2, 3]), bias: tensor(values(3, 2), [3]) } };
    const gradients = {
      conv: { kernel: tensor(values(54, 5), [3, 3, 2, 3]), bias: tensor(values(3, 6), [3]) },
    };
    const options = { weightDecay: 0.05, decays: (name: string) => name.endsWith('kernel') };
    const [fused, portable] = [adamW(start, options), portableAdamW(start, defaults(options))];
    const both = (steps: number) => {
      for (let i = 0; i < steps; i++) for (const each of [fused, portable]) each.step(gradients, 1e-2);
      near(fused.parameters.conv.kernel, portable.parameters.conv.kernel, 1e-5);
      near(fused.parameters.conv.bias, portable.parameters.conv.bias, 1e-5);
    };
    both(20);
    portable.restore(fused.state());
    both(1);
    expect(fused.state().step).toBe(21);
    for (const each of [fused, portable]) each.dispose();
    dispose([start, gradients]);
  });
});
