/** The gradient of a step a few frames at a time, or block by block, is that of the whole record. */
import { beforeAll, describe, expect, it } from 'vitest';
import { buildModel } from '../../pipeline/models/index.js';
import { isMoving } from '../../pipeline/nn/index.js';
import { Random } from '../../pipeline/random.js';
import { partMask, timeline, windows } from '../../pipeline/sequences/index.js';
import {
  dispose,
  leaves,
  openBackend,
  peakTensorBytes,
  tensor,
  tensorCount,
  treeFrom,
} from '../../pipeline/tensor/index.js';
import { makeBatch } from '../../pipeline/training/batch.js';
import { type StepPlan, stepGradients } from '../../pipeline/training/gradients.js';
import { fitModel } from '../../pipeline/training/index.js';
import { planStep, tapeBytes } from '../../pipeline/training/memory.js';
import { difference } from '../nn/fixtures.js';
import { modelConfig, small, trainingConfig } from './fixture.js';

beforeAll(async () => {
  await openBackend();
});

const SIZE = 24;
const made = small({ bad: [9], size: SIZE });
const slots = timeline(made.store.index, made.store.description.stepMs, {
  parts: partMask(made.split.part, 0),
  gaps: 'split',
  longestFill: 3,
});
const batchOf = (length: number, chosen: number[]) =>
  makeBatch(
    {
      index: made.store.index,
      labels: made.labels,
      timeline: slots,
      windows: windows(slots.segments, { length, stride: 1 }),
      season: true,
    },
    chosen,
  );
const random = Random.from(9);
const pixels = Float32Array.from({ length: 40 * SIZE * SIZE * 2 }, () => random.normal());

function gradientsOf(encoder: object, plan: StepPlan, { length = 6, chosen = [0, 4, 20], pieces = 1 } = {}) {
  const model = buildModel(
    modelConfig({ encoder, head: { kind: 'gru', units: 3 }, channels: { season: true } } as never),
    { height: SIZE, width: SIZE, channels: 2, season: 4 },
  );
  const batch = batchOf(length, chosen);
  const noise = Random.from(4);
  const start = model.init(Random.from(1));
  const all = leaves(start).map(({ name, tensor: t }) => ({
    name,
    tensor: tensor(
      t.dataSync().map((v) => v + 0.2 * noise.normal()),
      t.shape,
    ),
  }));
  const trained = treeFrom(all.filter(({ name }) => !isMoving(name)));
  const frames = batch.frames.length;
  const x = tensor(pixels.subarray(0, frames * SIZE * SIZE * 2), [frames, SIZE, SIZE, 2]);
  const before = tensorCount();
  const { result, bytes } = peakTensorBytes(() =>
    stepGradients(
      {
        model,
        trained,
        joined: (p) => p,
        batch,
        x,
        centres: new Int32Array(frames).fill(33),
        training: { loss: 'weighted', centre: 0.3 },
        positiveWeight: 3,
        mode: () => ({ training: true, random: Random.from(2) }),
        moved: dispose,
      },
      plan,
      pieces,
    ),
  );
  const values = new Map(leaves(result.gradients).map(({ name, tensor: t }) => [name, t.dataSync().slice()]));
  dispose(result.gradients);
  expect(tensorCount()).toBe(before);
  dispose([start, x, ...all.map(({ tensor: t }) => t)]);
  return { loss: result.loss, values, bytes };
}

describe.each([
  ['evidence', { kind: 'evidence', widths: [4, 5], margin: 2, dropout: 0.3 }],
  ['evidence, whole maps dropped', { kind: 'evidence', widths: [4, 5], dropout: 0.3, dropoutBy: 'channel' }],
  ['cnn', { kind: 'cnn', widths: [4, 6], norm: 'none', dropout: 0.3 }],
])('the gradients of %s', (_, encoder) => {
  const full = () => gradientsOf(encoder, { kind: 'full' });

  it.each([
    { kind: 'framewise', frames: 1 },
    { kind: 'framewise', frames: 5 },
    { kind: 'framewise', frames: 64 },
    { kind: 'blockwise', frames: 1 },
    { kind: 'blockwise', frames: 7 },
  ] as const)('are the same $kind, $frames frames at a time', (plan) => {
    const [whole, parts] = [full(), gradientsOf(encoder, plan)];
    expect(Math.abs(parts.loss / whole.loss - 1)).toBeLessThan(1e-6);
    expect([...parts.values.keys()]).toEqual([...whole.values.keys()]);
    for (const [name, gradient] of whole.values)
      expect(difference(parts.values.get(name)!, gradient), name).toBeLessThan(1e-5);
  });

  it.each([
    [{ kind: 'full' }, 2],
    [{ kind: 'full' }, 9],
    [{ kind: 'framewise', frames: 4 }, 2],
    [{ kind: 'blockwise', frames: 1 }, 3],
  ] as const)(
    'are the same when batches are summed, with gaps in their windows: %j, %i of them',
    (plan, pieces) => {
      const [whole, parts] = [full(), gradientsOf(encoder, plan, { pieces })];
      expect(Math.abs(parts.loss / whole.loss - 1)).toBeLessThan(1e-6);
      for (const [name, gradient] of whole.values)
        expect(difference(parts.values.get(name)!, gradient), name).toBeLessThan(1e-5);
    },
  );
});

describe('the memory of a step', () => {
  it.each([
    ['evidence', { kind: 'evidence', widths: [24, 32] }],
    ['cnn', { kind: 'cnn', widths: [24, 32], norm: 'none' }],
  ])('of %s grows with the window by what the encoder gives, not by what it does', (_, encoder) => {
    const growth = (plan: StepPlan) => {
      const [short, long] = [4, 16].map(
        (length) => gradientsOf(encoder, plan, { length, chosen: [0, 1] }).bytes,
      );
      return long - short;
    };
    const full = growth({ kind: 'full' });
    for (const kind of ['framewise', 'blockwise'] as const)
      expect(growth({ kind, frames: 2 }) / full).toBeLessThan(0.1);
  });
});

describe('the plan of a step', () => {
  const model = (encoder: object, size = 600) =>
    buildModel(modelConfig({ encoder } as never), { height: size, width: size, channels: 3, season: 0 });
  const cnn = model({ kind: 'cnn', widths: [16, 32], norm: 'none' });
  const GIB = 2 ** 30;
  const plan = (memoryBytes: number, more: object = {}, of = cnn) =>
    planStep({
      model: of,
      training: { ...trainingConfig({ batch: 2, windowLength: 15 }), ...more },
      memoryBytes,
    });

  it('keeps everything where that fits, else frames, else blocks, and says so', () => {
    expect(plan(64 * GIB)).toMatchObject({ plan: { kind: 'full' }, note: expect.stringMatching(/GiB/) });
    const few = plan(GIB);
    expect(few).toMatchObject({
      plan: { kind: 'framewise' },
      note: expect.stringMatching(/\d of 30 frames at a time, framewise/),
    });
    expect(plan(64 * GIB, { stepMemoryMiB: 614 }).plan).toEqual(few.plan);
    const deep = model({ kind: 'evidence', widths: Array(6).fill(16) }, 100);
    const justNot = (0.9 * tapeBytes(deep)) / 0.6;
    expect(plan(justNot, {}, deep).plan).toMatchObject({ kind: 'blockwise' });
    expect(plan(64 * GIB, { memory: 'framewise' }).plan).toEqual({ kind: 'framewise', frames: 16 });
  });

  it('is refused where not even one frame fits, or frames are normalised together', () => {
    expect(() => plan(GIB / 100)).toThrow(
      expect.objectContaining({
        tag: 'ConfigError',
        fields: { memory: 'auto', memoryBytes: expect.any(Number), frameBytes: expect.any(Number) },
      }),
    );
    const normed = model({ kind: 'cnn', widths: [16, 32] });
    expect(() => plan(GIB, {}, normed)).toThrow(
      expect.objectContaining({ tag: 'ConfigError', hint: expect.stringMatching(/norm: none/) }),
    );
    expect(() => plan(64 * GIB, { memory: 'framewise' }, normed)).toThrow(
      expect.objectContaining({ tag: 'ConfigError', fields: { memory: 'framewise' } }),
    );
  });
});

describe('training a few frames at a time', () => {
  it('gives the parameters of training with everything kept', async () => {
    const train = async (memory: 'full' | 'framewise' | 'blockwise') => {
      const trained = await fitModel({
        ...made,
        model: modelConfig({
          encoder: { kind: 'cnn', widths: [4, 6], norm: 'none' },
          head: { kind: 'gru' },
        } as never),
        training: trainingConfig({ steps: 6, batch: 3, windowLength: 5, memory }),
      });
      return new Map(leaves(trained.members[0]).map(({ name, tensor: t }) => [name, t.dataSync()]));
    };
    const full = await train('full');
    for (const memory of ['framewise', 'blockwise'] as const)
      for (const [name, values] of await train(memory))
        expect(difference(values, full.get(name)!), name).toBeLessThan(1e-3);
  });
});
