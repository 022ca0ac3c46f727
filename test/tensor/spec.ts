/** What every backend must do; each backend's test file runs it in a process of its own. */
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Random } from '../../pipeline/random.js';
import * as t from '../../pipeline/tensor/index.js';

type Tree = { [name: string]: t.Tensor };

export function backendSpec(): void {
  let before = 0;
  beforeEach(() => {
    before = t.tensorCount();
  });
  afterEach(() => {
    expect(t.tensorCount()).toBe(before);
  });
  describe('gradients', gradientSpec);
  describe('fixtures', fixtureSpec);
  describe('values', valueSpec);
  describe('valueAndGradients', tapeSpec);
  describe('adamW', adamSpec);
}

/** Deterministic values in [-1, 1), away from 0 so that kinks are not met. */
export function values(count: number, seed = 1): Float32Array {
  const random = Random.from(seed);
  return Float32Array.from({ length: count }, () => {
    const value = random.uniform() * 2 - 1;
    return Math.abs(value) < 0.02 ? value + 0.05 : value;
  });
}

const made = (shape: number[], seed = 1) =>
  t.tensor(
    values(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ),
    shape,
  );

/** Compares gradients of sum(f(inputs) * fixed weights) with central differences at up to 12 places a leaf. */
function agrees(f: (inputs: Tree) => t.Tensor, inputs: Tree, tolerance = 2e-2): void {
  const weigh = (p: Tree) => {
    const y = f(p);
    return t.sum(t.mul(y, made(y.shape, 99)));
  };
  const { gradients } = t.valueAndGradients(inputs, (p) => ({ loss: weigh(p) }));
  const h = 1e-2;
  for (const { name, tensor } of t.leaves(inputs)) {
    expect(gradients[name], name).not.toBeNull();
    const found = gradients[name].dataSync();
    const at = tensor.dataSync();
    const step = Math.max(1, Math.floor(at.length / 12));
    for (let i = 0; i < at.length; i += step) {
      const moved = (d: number) =>
        t.tidy(() => {
          const shifted = Float32Array.from(at);
          shifted[i] += d;
          return weigh({ ...inputs, [name]: t.tensor(shifted, tensor.shape) }).dataSync()[0];
        });
      const expected = (moved(h) - moved(-h)) / (2 * h);
      expect(
        Math.abs(found[i] - expected),
        `${name}[${i}] is ${found[i]}, differences give ${expected}`,
      ).toBeLessThan(tolerance * Math.max(1, Math.abs(expected)));
    }
  }
  t.dispose(gradients);
  t.dispose(inputs);
}

function gradientSpec(): void {
  for (const padding of ['same', 'valid'] as const)
    for (const strides of [1, 2, [2, 3]] as (number | [number, number])[])
      for (const [kh, kw] of [
        [3, 3],
        [1, 1],
        [2, 5],
      ])
        test(`conv2d ${padding}, strides ${strides}, kernel ${kh}x${kw} agrees with finite differences`, () =>
          agrees((p) => t.conv2d(p.x, p.kernel, { strides, padding }), {
            x: made([2, 7, 8, 2]),
            kernel: made([kh, kw, 2, 3], 2),
          }));
  for (const padding of ['same', 'valid'] as const)
    for (const strides of [1, 2, [1, 2, 2], [3, 2, 1]] as (number | [number, number, number])[])
      test(`conv3d ${padding}, strides ${strides} agrees with finite differences`, () =>
        agrees((p) => t.conv3d(p.x, p.kernel, { strides, padding }), {
          x: made([2, 4, 5, 6, 2]),
          kernel: made([2, 3, 3, 2, 2], 2),
        }));
  test('max and average pools agree with finite differences', () => {
    const spread = () =>
      t.tensor(
        Float32Array.from({ length: 144 }, (_, i) => ((i * 37) % 144) / 10),
        [2, 6, 6, 2],
      );
    const framed = [0, 1, 1, 0].map((n): [number, number] => [n, n]);
    agrees((p) => t.maxPool(p.x, { size: 2 }), { x: spread() });
    agrees((p) => t.maxPool(p.x, { size: [3, 2] }), { x: spread() });
    agrees((p) => t.maxPool(p.x, { size: 4 }), { x: spread() });
    agrees((p) => t.maxPool(p.x, { size: 3, strides: 2, padding: 'same' }), { x: spread() });
    agrees((p) => t.maxPool(t.pad(p.x, framed), { size: 3, strides: 2 }), { x: spread() });
    agrees((p) => t.avgPool(p.x, { size: 2 }), { x: spread() });
    agrees((p) => t.avgPool(p.x, { size: 2 }), { x: made([2, 5, 7, 3]) });
    agrees((p) => t.avgPool(p.x, { size: 3, strides: 2, padding: 'same' }), { x: spread() });
  });
  test('training batch norm agrees with finite differences in x, gamma and beta at ranks 2 to 5', () => {
    for (const shape of [
      [12, 3],
      [4, 3, 3],
      [2, 3, 4, 3],
      [2, 2, 3, 4, 3],
    ])
      agrees((p) => t.batchNormTraining(p.x, { gamma: p.gamma, beta: p.beta, epsilon: 1e-3 }).y, {
        x: made(shape),
        gamma: made([3], 2),
        beta: made([3], 3),
      });
  });
  const each: [string, (x: t.Tensor) => t.Tensor][] = [
    ['relu', t.relu],
    ['sigmoid', t.sigmoid],
    ['tanh', t.tanh],
    ['softplus', t.softplus],
    ['softmax', (x) => t.softmax(x, -1)],
    ['logSoftmax', (x) => t.logSoftmax(x, 0)],
    ['logSumExp', (x) => t.logSumExp(x, 1)],
    ['exp', t.exp],
    ['abs', t.abs],
    ['square', t.square],
    ['sqrt of positive', (x) => t.sqrt(t.add(x, 2))],
    ['log of positive', (x) => t.log(t.add(x, 2))],
    ['pow', (x) => t.pow(t.add(x, 2), 1.5)],
    ['clip', (x) => t.clip(x, -0.35, 0.35)],
    ['maximum with broadcasting', (x) => t.maximum(x, t.slice(x, [0, 0], [1, 6]))],
    ['minimum with broadcasting', (x) => t.minimum(x, t.slice(x, [0, 0], [4, 1]))],
    ['mean over axes', (x) => t.mean(x, [0])],
    ['max', (x) => t.max(x, 1)],
    ['min', (x) => t.min(x, 1)],
    ['gather with repeats', (x) => t.gather(x, Int32Array.of(2, 0, 2, 3), 0)],
    ['gather along the last axis', (x) => t.gather(x, Int32Array.of(5, 5, 1), 1)],
    ['slice and concat', (x) => t.concat([t.slice(x, [1, 2], [2, 3]), t.slice(x, [0, 0], [2, 3])], 1)],
    ['stack and unstack', (x) => t.stack(t.unstack(x, 0).reverse(), 1)],
    ['split', (x) => t.mul(...(t.split(x, 2, 1) as [t.Tensor, t.Tensor]))],
    [
      'pad',
      (x) =>
        t.pad(
          x,
          [
            [1, 0],
            [0, 2],
          ],
          3,
        ),
    ],
    ['reverse', (x) => t.reverse(x, 1)],
    ['transpose', (x) => t.transpose(x)],
    ['tile', (x) => t.tile(x, [2, 1])],
    ['where', (x) => t.where(t.greater(x, 0), t.mul(x, 3), x)],
    ['broadcast division', (x) => t.div(x, t.add(t.slice(x, [0, 0], [1, 6]), 3))],
    ['one tensor used twice', (x) => t.mul(x, x)],
  ];
  test.each(each)('%s agrees with finite differences', (_, f) => agrees((p) => f(p.x), { x: made([4, 6]) }));
  test('matMul agrees with finite differences, transposed and batched', () => {
    agrees((p) => t.matMul(p.a, p.b), { a: made([3, 4]), b: made([4, 2], 2) });
    agrees((p) => t.matMul(p.a, p.b, true), { a: made([4, 3]), b: made([4, 2], 2) });
    agrees((p) => t.matMul(p.a, p.b, false, true), { a: made([3, 4]), b: made([2, 4], 2) });
    agrees((p) => t.matMul(p.a, p.b, true, true), { a: made([4, 3]), b: made([2, 4], 2) });
    agrees((p) => t.matMul(p.a, p.b), { a: made([2, 3, 4]), b: made([2, 4, 2], 2) });
  });
  test('resizeBilinear agrees with finite differences both ways', () => {
    agrees((p) => t.resizeBilinear(p.x, [6, 6]), { x: made([1, 3, 4, 2]) });
    agrees((p) => t.resizeBilinear(p.x, [2, 3]), { x: made([1, 5, 7, 2]) });
  });
}

const shared = (name: string) => new URL(`../../../shared/fixtures/${name}.json`, import.meta.url);

function fixture(name: string): Record<string, never> {
  return JSON.parse(readFileSync(shared(name), 'utf8'));
}

interface Nested extends Array<number | Nested> {}

function nested(data: Nested): t.Tensor {
  const shape: number[] = [];
  for (let level: number | Nested = data; Array.isArray(level); level = level[0]) shape.push(level.length);
  return t.tensor((data as number[][]).flat(9 as 1) as number[], shape);
}

export function near(found: t.Tensor, expected: t.Tensor, tolerance: number): void {
  expect(found.shape).toEqual(expected.shape);
  const [a, b] = [found.dataSync(), expected.dataSync()];
  const worst = Float32Array.from(a).reduce((max, value, i) => {
    const error = Math.abs(value - b[i]);
    return error <= max ? max : error;
  }, 0);
  expect(worst).toBeLessThan(tolerance);
}

function fixtureSpec(): void {
  test.skipIf(!existsSync(shared('conv3d_same_stride122')))(
    'conv3d with strides 1, 2, 2 equals the stored numbers',
    () => {
      const data = fixture('conv3d_same_stride122');
      const [x, kernel, y, dx, dw] = ['x', 'w', 'y', 'dx', 'dw'].map((key) => nested(data[key]));
      const run = t.valueAndGradients({ x, kernel }, (p) => {
        const out = t.conv3d(p.x, p.kernel, { strides: [1, 2, 2], padding: 'same' });
        return { loss: t.sum(t.square(out)), aux: out };
      });
      near(run.aux!, y, 1e-4);
      near(run.gradients.x, dx, 1e-3);
      near(run.gradients.kernel, dw, 1e-3);
      t.dispose([x, kernel, y, dx, dw, run.aux!, run.gradients]);
    },
  );
  test.skipIf(!existsSync(shared('batchnorm3d')))('batch norm after Conv3D equals the stored numbers', () => {
    const data = fixture('batchnorm3d');
    const [x, gamma, beta, mean, variance] = ['x', 'gamma', 'beta', 'moving_mean', 'moving_var'].map((key) =>
      nested(data[key]),
    );
    const epsilon = Number(data.eps);
    const momentum = Number(data.momentum);
    const training = t.batchNormTraining(x, { gamma, beta, epsilon });
    const inference = t.batchNorm(x, { mean, variance, gamma, beta, epsilon });
    const blend = (old: t.Tensor, now: t.Tensor) =>
      t.tidy(() => t.add(t.mul(old, momentum), t.mul(now, 1 - momentum)));
    const moved = [blend(mean, training.mean), blend(variance, training.variance)];
    const keys = ['y_train', 'y_infer', 'new_moving_mean', 'new_moving_var_biased'];
    const expected = keys.map((key) => nested(data[key]));
    [training.y, inference, ...moved].forEach((found, i) => {
      near(found, expected[i], 1e-5);
    });
    t.dispose([x, gamma, beta, mean, variance, inference, ...moved, ...expected]);
    t.dispose({ ...training });
  });
}

function valueSpec(): void {
  test('softplus and logSumExp do not overflow', () => {
    const x = t.tensor([-1000, 0, 1000], [3]);
    const [soft, total] = [t.softplus(x), t.logSumExp(x)];
    const found = [...soft.dataSync(), total.dataSync()[0]];
    [0, Math.log(2), 1000, 1000].forEach((value, i) => {
      expect(found[i]).toBeCloseTo(value, 4);
    });
    t.dispose([x, soft, total]);
  });
  test('conv3d same with a kernel smaller than its stride takes the first value of each stride', () => {
    const x = t.tensor([0, 1, 2, 3, 4, 5, 6], [1, 7, 1, 1, 1]);
    const kernel = t.ones([1, 1, 1, 1, 1]);
    const y = t.conv3d(x, kernel, { strides: [3, 1, 1] });
    expect([...y.dataSync()]).toEqual([0, 3, 6]);
    t.dispose([x, kernel, y]);
  });
  test('resizeBilinear has half-pixel centres', () => {
    const x = t.tensor([0, 1], [1, 1, 2, 1]);
    const y = t.resizeBilinear(x, [1, 4]);
    expect([...y.dataSync()]).toEqual([0, 0.25, 0.75, 1]);
    t.dispose([x, y]);
  });
}

function tapeSpec(): void {
  test('names no gradient for a leaf without a path, and none flows through stopGradient', () => {
    const p = { used: t.scalar(2), unused: t.scalar(3), stopped: t.scalar(4) };
    const { loss, gradients } = t.valueAndGradients(p, (q) => ({
      loss: t.mul(t.square(q.used), t.stopGradient(q.stopped)),
    }));
    expect(loss).toBe(16);
    expect(gradients.used.dataSync()[0]).toBe(16);
    expect(gradients.unused).toBeNull();
    expect(gradients.stopped).toBeNull();
    t.dispose(gradients);
    t.dispose(p);
  });
  test('keeps aux and frees everything else, step after step', () => {
    const p = { encoder: [{ kernel: made([3, 3, 2, 4]) }], head: made([4, 1], 2) };
    const x = made([2, 6, 6, 2], 3);
    const counts = [1, 2, 3].map(() => {
      const { aux, gradients } = t.valueAndGradients(p, (q) => {
        const y = t.mean(t.relu(t.conv2d(x, q.encoder[0].kernel)), [1, 2]);
        return { loss: t.mean(t.matMul(y, q.head)), aux: { y } };
      });
      expect(aux!.y.shape).toEqual([2, 4]);
      expect(t.leaves(gradients).map(({ name }) => name)).toEqual(['encoder/0/kernel', 'head']);
      t.dispose(aux!);
      t.dispose(gradients);
      return t.tensorCount();
    });
    expect(new Set(counts).size).toBe(1);
    t.dispose(p);
    t.dispose(x);
  });
  test('a checkpointed block has the same gradients and keeps less', () => {
    const p = { x: made([2, 6, 6, 2]), a: made([3, 3, 2, 4], 2), b: made([3, 3, 4, 1], 3) };
    const block = (x: t.Tensor, a: t.Tensor, b: t.Tensor) => t.conv2d(t.tanh(t.conv2d(t.sigmoid(x), a)), b);
    const kept: number[] = [];
    const run = (apply: typeof block) =>
      t.valueAndGradients(p, (q) => {
        const start = t.tensorCount();
        const y = t.tidy(() => apply(q.x, q.a, q.b));
        kept.push(t.tensorCount() - start);
        return { loss: t.mean(t.square(y)) };
      });
    const [plain, light] = [run(block), run((...inputs) => t.checkpoint(block, inputs))];
    expect(light.loss).toBe(plain.loss);
    for (const { name, tensor } of t.leaves(plain.gradients))
      near((light.gradients as Tree)[name], tensor, 1e-6);
    expect(kept[1]).toBeLessThan(kept[0]);
    t.dispose([p, plain.gradients, light.gradients]);
  });
  test('frees its record when the function throws', () => {
    const p = { x: made([3]) };
    const thrower = () =>
      t.valueAndGradients(p, (q) => {
        t.square(t.exp(q.x));
        throw new RangeError('stop');
      });
    expect(thrower).toThrow(RangeError);
    t.dispose(p);
  });
  test('trees go to stored values and back', async () => {
    const tree = { a: { b: made([2, 3]) }, c: made([4], 2) };
    const stored = await t.readTree(tree);
    const again = t.writeTree(stored);
    expect([...stored.keys()]).toEqual(['a/b', 'c']);
    expect((await t.readTree(again)).get('a/b')).toEqual(stored.get('a/b'));
    stored.delete('c');
    stored.set('d', { shape: [1], values: Float32Array.of(1) });
    expect(() => t.fillTree(tree, stored)).toThrowError(
      expect.objectContaining({
        tag: 'ModelMismatchError',
        fields: { missing: ['c'], extra: ['d'], shapes: [] },
      }),
    );
    t.dispose(tree);
    t.dispose(again);
  });
}

function adamSpec(): void {
  test('moves as the formulas say, decays only what is named, and resumes to the same numbers', () => {
    const options = { weightDecay: 0.1, decays: (name: string) => name === 'w' };
    const start = { w: t.tensor([1, -2], [2]), b: t.tensor([0.5], [1]) };
    const gradients = { w: t.tensor([0.3, -0.1], [2]), b: t.tensor([2], [1]) };
    const optimizer = t.adamW(start, options);
    for (let i = 0; i < 3; i++) optimizer.step(gradients, 1e-2);
    const expected = reference([1, -2], [0.3, -0.1], 0.1, 3);
    expected.forEach((value, i) => {
      expect(optimizer.parameters.w.dataSync()[i]).toBeCloseTo(value, 5);
    });
    expect(optimizer.parameters.b.dataSync()[0]).toBeCloseTo(reference([0.5], [2], 0, 3)[0], 5);

    const resumed = t.adamW(optimizer.parameters, options);
    resumed.restore(optimizer.state());
    for (const each of [optimizer, resumed]) each.step(gradients, 1e-2);
    expect([...resumed.parameters.w.dataSync()]).toEqual([...optimizer.parameters.w.dataSync()]);
    optimizer.dispose();
    resumed.dispose();
    t.dispose(start);
    t.dispose(gradients);
  });
}

/** AdamW in plain numbers at learning rate 0.01 and Keras' defaults. */
function reference(start: number[], gradient: number[], decay: number, steps: number): number[] {
  return start.map((value, i) => {
    let [p, m, v] = [value, 0, 0];
    for (let step = 1; step <= steps; step++) {
      p -= 0.01 * decay * p;
      m = 0.9 * m + 0.1 * gradient[i];
      v = 0.999 * v + 0.001 * gradient[i] ** 2;
      p -= (0.01 * Math.sqrt(1 - 0.999 ** step) * m) / (1 - 0.9 ** step) / (Math.sqrt(v) + 1e-7);
    }
    return p;
  });
}
