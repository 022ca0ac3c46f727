import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { predictFrames } from '../../pipeline/labelling/stream.js';
import { dispose, openBackend, tensorCount } from '../../pipeline/tensor/index.js';
import { fitModel, loadTrained, saveTrained, type TrainedModel } from '../../pipeline/training/index.js';
import { difference } from '../nn/fixtures.js';
import { modelConfig, small, trainingConfig } from './fixture.js';

const made = small({ bad: [3], size: 12, frames: 10 });
const { store } = made;
const folder = await mkdtemp(join(tmpdir(), 'stormreel-taps-'));
const TAPS = [
  { name: 'block0', height: 12, width: 12 },
  { name: 'block1', height: 6, width: 6 },
  { name: 'block2', height: 3, width: 3 },
];
let trained: TrainedModel;

beforeAll(async () => {
  await openBackend();
  trained = await fitModel({
    ...made,
    model: modelConfig({
      encoder: { kind: 'cnn', widths: [4, 5, 6], attentionWidth: [5, 4], attention: { gate: 'inline' } },
      head: { kind: 'lstm', units: 4 },
    }),
    training: trainingConfig({ steps: 20, ensemble: 2, learningRate: 0.01 }),
  });
});
afterAll(async () => {
  for (const member of trained.members) dispose(member);
  await rm(folder, { recursive: true });
});

describe('a model that attends to three blocks', () => {
  it('gives the map of each tap on its own grid and the weight of each tap, for every good frame', async () => {
    const before = tensorCount();
    const { taps, attention } = await predictFrames(trained, store, undefined, { attention: true });
    expect(tensorCount()).toBe(before);
    expect(taps!.taps.map(({ maps: _, ...tap }) => tap)).toEqual(TAPS);
    for (const frame of [0, 3, 59]) {
      const total = (all: Float32Array) => {
        const size = all.length / store.index.length;
        return all.subarray(frame * size, (frame + 1) * size).reduce((a, b) => a + b, 0);
      };
      const one = frame === 3 ? 0 : 1; // frame 3 is bad
      for (const { maps } of taps!.taps) expect(total(maps)).toBeCloseTo(one, 4);
      expect(total(taps!.scale!)).toBeCloseTo(one, 5);
      expect(total(attention!)).toBeCloseTo(one, 4);
    }
    expect(Math.min(...taps!.scale!)).toBeGreaterThanOrEqual(0);
    const learned = taps!.scale!.slice(0, 3);
    expect(difference(learned, [1 / 3, 1 / 3, 1 / 3])).toBeGreaterThan(1e-4);
  });

  it('says the same after it was saved and loaded', async () => {
    await saveTrained(folder, trained);
    const loaded = await loadTrained(folder);
    const [first, second] = await Promise.all(
      [trained, loaded].map((model) => predictFrames(model, store, undefined, { attention: true })),
    );
    expect(second.logit).toEqual(first.logit);
    expect(second.taps!.scale).toEqual(first.taps!.scale);
    for (const member of loaded.members) dispose(member);
  });

  it('keeps no map of a plain network', async () => {
    const plain = await fitModel({
      ...made,
      model: modelConfig({ encoder: { kind: 'cnn', widths: [4, 5], attention: { modules: [] } } }),
      training: trainingConfig({ windowLength: 1, steps: 4 }),
    });
    const found = await predictFrames(plain, store, undefined, { attention: true });
    expect([found.attention, found.taps]).toEqual([null, null]);
    expect(Number.isFinite(found.logit[0])).toBe(true);
    for (const member of plain.members) dispose(member);
  });
});
