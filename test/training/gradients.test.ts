import { beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../pipeline/errors.js';
import { buildModel } from '../../pipeline/models/index.js';
import { isMoving } from '../../pipeline/nn/index.js';
import { Random } from '../../pipeline/random.js';
import { partMask, timeline, windows } from '../../pipeline/sequences/index.js';
import {
  add,
  dispose,
  leaves,
  mapTree,
  openBackend,
  type ParameterTree,
  reshape,
  sum,
  type Tensor,
  tensor,
  tensorCount,
  treeFrom,
  valueAndGradients,
} from '../../pipeline/tensor/index.js';
import { type Batch, makeBatch } from '../../pipeline/training/batch.js';
import { gradientCheck } from '../../pipeline/training/guard.js';
import { stepLoss } from '../../pipeline/training/step.js';
import { difference } from '../nn/fixtures.js';
import { modelConfig, small } from './fixture.js';

beforeAll(async () => {
  await openBackend();
});

const made = small({ bad: [9] });
const slots = timeline(made.store.index, made.store.description.stepMs, {
  parts: partMask(made.split.part, 0),
  gaps: 'split',
  longestFill: 3,
});
const source = {
  index: made.store.index,
  labels: made.labels,
  timeline: slots,
  windows: windows(slots.segments, { length: 6, stride: 1 }),
  season: true,
};
const batch = makeBatch(source, [0, 4, 20]);
const GRU = { kind: 'gru', units: 3 };
const random = Random.from(9);
const pixels = Float32Array.from({ length: 18 * 100 * 2 }, () => random.normal());
const build = (encoder: object, head: object = GRU) =>
  buildModel(modelConfig({ encoder, head, channels: { season: true } } as never), {
    height: 10,
    width: 10,
    channels: 2,
    season: 4,
  });

/** Gradients of one step by leaf; leaves that start at zero are stirred, so that no path is shut. */
function gradientsOf(model: ReturnType<typeof build>, changed: Partial<Batch> = {}) {
  const noise = Random.from(4);
  const start = model.init(Random.from(1));
  const stir = (t: Tensor) =>
    tensor(
      Float32Array.from({ length: t.size }, () => 0.2 * noise.normal()),
      t.shape,
    );
  const all = leaves(start).map(({ name, tensor: t }) => ({
    name,
    tensor: isMoving(name) || t.dataSync().some((v) => v !== 0) ? t : stir(t),
  }));
  const trained = treeFrom(all.filter(({ name }) => !isMoving(name)));
  const moving = all.filter(({ name }) => isMoving(name));
  const mine = { ...batch, ...changed };
  const x = tensor(pixels.subarray(0, mine.frames.length * 200), [mine.frames.length, 10, 10, 2]);
  const centres = new Int32Array(mine.frames.length).fill(33);
  const found = valueAndGradients<ParameterTree, unknown>(trained, (p) => {
    const { loss } = stepLoss({
      model,
      parameters: treeFrom([...leaves(p), ...moving]),
      batch: mine,
      x,
      centres,
      training: { loss: 'weighted', centre: 0.3 },
      positiveWeight: 3,
      mode: { training: true, random: Random.from(2) },
    });
    return { loss };
  });
  const values = new Map(leaves(found.gradients).map(({ name, tensor: t }) => [name, t.dataSync().slice()]));
  dispose(found.gradients);
  dispose(all.map(({ tensor: t }) => t));
  dispose(start);
  x.dispose();
  return { loss: found.loss, values, names: leaves(trained).map(({ name }) => name) };
}

const ATTENDED = { kind: 'cnn', widths: [4, 6], attention: {} };

it.each([
  ['gates inline', { ...ATTENDED, attention: { gate: 'inline' } }, GRU],
  ['detached attention', { ...ATTENDED, attention: { detach: true } }, GRU],
  ['one tap without scales', { ...ATTENDED, attention: { taps: [1], modules: ['element'] } }, GRU],
  ['a plain network', { ...ATTENDED, attention: { modules: [] } }, GRU],
  ['an LSTM', ATTENDED, { kind: 'lstm', units: 3 }],
  ['temporal convolutions', ATTENDED, { kind: 'tcn', units: 3, dilations: [1, 2] }],
  ['an LSTM both ways', ATTENDED, { kind: 'lstm', units: 3, bidirectional: true }],
])('gradients reach every parameter with %s', (_, encoder, head) => {
  const before = tensorCount();
  const { values, names } = gradientsOf(build(encoder, head));
  expect([...values.keys()].sort()).toEqual([...names].sort());
  for (const [name, gradient] of values) expect(Math.max(...gradient.map(Math.abs)), name).toBeGreaterThan(0);
  expect(tensorCount()).toBe(before);
});

it('the auxiliary losses of the taps are summed, times their weight', () => {
  const loss = (taps: number[], auxiliary: number) =>
    gradientsOf(build({ ...ATTENDED, attention: { taps, modules: ['element'] }, auxiliary })).loss;
  // Both models draw the same weights for the same tap, and block 0 gives nothing to the main output here.
  const [none, one, half] = [0, 1, 0.5].map((weight) => loss([0, 1], weight));
  expect(half - none).toBeCloseTo((one - none) / 2, 5);
  expect(one - none).toBeGreaterThan(loss([1], 1) - loss([1], 0) + 0.1);
});

describe.each([
  ['evidence', { kind: 'evidence', widths: [4, 5], margin: 2 }],
  ['cnn', { kind: 'cnn', widths: [4, 6] }],
  ['cnn with three attentions', ATTENDED],
])('gradients of %s', (_, encoder) => {
  it('reach every parameter of encoder and head', () => {
    const { values, names } = gradientsOf(build(encoder));
    expect([...values.keys()].sort()).toEqual([...names].sort());
    for (const [name, gradient] of values)
      expect(Math.max(...gradient.map(Math.abs)), name).toBeGreaterThan(0);
  });

  it.each([0, 1])('are finite and not zero in windows whose labels are all %i', (label) => {
    const { loss, values } = gradientsOf(build(encoder), { label: new Float32Array(18).fill(label) });
    expect(Number.isFinite(loss)).toBe(true);
    let total = 0;
    for (const gradient of values.values())
      for (const g of gradient) {
        expect(Number.isFinite(g)).toBe(true);
        total += Math.abs(g);
      }
    expect(total).toBeGreaterThan(0);
  });

  it('do not depend on the labels of frames that are masked', () => {
    const masked = batch.mask.map((m, i) => (i === 4 ? 0 : m));
    const label = batch.label.map((l, i) => (i === 4 ? 1 - l : l));
    const one = gradientsOf(build(encoder), { mask: masked });
    const two = gradientsOf(build(encoder), { mask: masked, label });
    expect(two.loss).toBe(one.loss);
    for (const [name, gradient] of one.values) expect(difference(two.values.get(name)!, gradient)).toBe(0);
  });
});

describe('the loss', () => {
  it('leaves padding out: a bad frame in a window changes it as if the frame were not there', () => {
    expect(batch.frames.length).toBe(17); // frame 9 lies in the second window
    expect(batch.count).toBe(17);
    expect(gradientsOf(build({ kind: 'evidence', widths: [4] })).loss).toBeGreaterThan(0);
  });

  it('moves by one term when one label changes, and by that term over the count', () => {
    const model = build({ kind: 'evidence', widths: [4] }, { kind: 'none' });
    const before = tensorCount();
    const parameters = model.init(Random.from(1));
    const x = tensor(pixels.subarray(0, 17 * 200), [17, 10, 10, 2]);
    const run = (label: Float32Array) => {
      const out = stepLoss({
        model,
        parameters,
        batch: { ...batch, label },
        x,
        centres: new Int32Array(17).fill(-1),
        training: { loss: 'bce', centre: 0 },
        positiveWeight: 1,
        mode: { training: false, random: null },
      });
      return { loss: out.loss.dataSync()[0], logits: out.logits.dataSync().slice() };
    };
    const flipped = batch.label.map((l, i) => (i === 7 ? 1 - l : l));
    const [one, two] = [run(batch.label), run(flipped)];
    const sign = flipped[7] === 1 ? -1 : 1; // bce(z, 1) - bce(z, 0) = -z
    expect((two.loss - one.loss) * 17).toBeCloseTo(sign * one.logits[7], 3);
    dispose(parameters);
    x.dispose();
    expect(tensorCount()).toBeGreaterThanOrEqual(before);
  });
});

describe('gradientCheck', () => {
  const tree = (values: Record<string, number | null>): ParameterTree =>
    Object.fromEntries(
      Object.entries(values).map(([k, v]) => [k, v === null ? null : tensor([v], [1])]),
    ) as never;
  const names = ['a', 'b'];

  it('names a parameter without any path to the loss at the first step', () => {
    const parameters = tree({ a: 1, b: 2 });
    const { gradients } = valueAndGradients(parameters, (p) => ({
      loss: sum(reshape((p as { a: never }).a, [1])),
    }));
    const work = () => gradientCheck()(gradients, names, 0);
    expect(work).toThrowError(ConfigError);
    try {
      work();
    } catch (error) {
      expect((error as ConfigError).fields).toEqual({ parameters: ['b'] });
    }
    dispose(gradients);
    dispose(parameters);
  });

  it('lets a zero pass at first, as behind an output that starts at zero, and names it when it stays', () => {
    const check = gradientCheck();
    const silent = tree({ a: 1, b: 0 });
    check(silent, names, 0);
    check(silent, names, 1);
    expect(() => check(silent, names, 2)).toThrowError(/cannot train b: their gradient was exactly zero/);
    const patient = gradientCheck();
    patient(silent, names, 0);
    patient(
      mapTree(silent, (t) => add(t, 1)),
      names,
      1,
    );
    patient(silent, names, 2);
    dispose(silent);
  });
});
