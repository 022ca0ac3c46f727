import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';
import { fitChannels } from '../../pipeline/channels/index.js';
import type { LabelTable } from '../../pipeline/labels/index.js';
import { buildModel } from '../../pipeline/models/index.js';
import type { FrameStore } from '../../pipeline/shards/index.js';
import { openDataset } from '../../pipeline/shards/index.js';
import { dispose, openBackend, tensorCount } from '../../pipeline/tensor/index.js';
import { fitModel, frameTensors } from '../../pipeline/training/index.js';
import { planStep, tapeBytes } from '../../pipeline/training/memory.js';
import { ChannelsConfig } from '../../schemas/config/index.js';
import { storeFrames } from '../shards/stored.js';
import { modelConfig, small, trainingConfig } from './fixture.js';

setFlagsFromString('--expose-gc');
const gc: () => void = runInNewContext('gc');

const SIZE = 48;
const FRAME_BYTES = SIZE * SIZE * 4;
const BUDGET = 4 * 2 ** 20;

/** Three series of frames that are computed when they are read and kept nowhere. */
function endless(frames: number) {
  const like = small({ seriesCount: 3, frames: 4, size: SIZE, bands: ['msl'] });
  const total = 3 * frames;
  const series = Uint32Array.from({ length: total }, (_, i) => Math.floor(i / frames));
  const index = {
    ...like.store.index,
    length: total,
    series,
    time: Float64Array.from({ length: total }, (_, i) => (i % frames) * 6 * 3_600_000),
    ok: new Uint8Array(total).fill(1),
  };
  const label = Int8Array.from(series, (_, i) => (i % 10 < 3 ? 1 : 0));
  const blank = new Float32Array(total).fill(Number.NaN);
  const labels: LabelTable = {
    ...like.labels,
    label,
    ignore: new Uint8Array(total),
    event: new Int32Array(total).fill(-1),
    lat: blank,
    lon: blank,
  };
  let [most, reads] = [0, 0];
  const store: FrameStore = {
    description: like.store.description,
    index,
    hash: `${frames}`.padStart(64, '0'),
    async read(wanted, out) {
      const size = SIZE * SIZE;
      for (let i = 0; i < wanted.length; i++)
        for (let c = 0; c < size; c++)
          out.values[i * size + c] = Math.sin(wanted[i] * 31 + c) + 3 * label[wanted[i]];
      out.valid.fill(1, 0, wanted.length * size);
      if (reads++ % 32 > 0) return;
      gc(); // what is held, not what waits to be collected
      most = Math.max(most, process.memoryUsage().arrayBuffers);
    },
    async close() {},
  };
  const part = series.map((s) => (s === 2 ? 2 : s === 1 ? 1 : 0));
  return { store, labels, split: { ...like.split, part: Uint8Array.from(part) }, most: () => most };
}

beforeAll(async () => {
  await openBackend();
});

describe('streamed training', () => {
  it('is refused where two batches do not fit in its memory, with the memory and the batch that do', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'stormreel-room-'));
    await storeFrames(dir, { frames: 90, width: 10, height: 10 });
    const store = await openDataset(dir);
    const train = [...store.index.time.keys()];
    const statistics = await fitChannels(store, train, ChannelsConfig.parse({}));
    const asked = { frames: train, atOnce: 8, threads: 1 };
    const needed = 2 * 8 * (10 * 10 * (4 + 1) + 10 * 10 * 4); // ring of numbers and masks; channels
    const tooLittle = frameTensors(store, statistics, { ...asked, budgetBytes: needed - 1 });
    await expect(tooLittle).rejects.toMatchObject({
      tag: 'ConfigError',
      fields: { needed, budgetBytes: needed - 1, atOnce: 8 },
      hint: expect.stringMatching(/memoryMiB to 1 or more, .* product is 7 or less/),
    });
    const enough = await frameTensors(store, statistics, { ...asked, budgetBytes: needed });
    expect(enough.resident).toBe(false);
    (await enough.take(Int32Array.from(train.slice(0, 8)))).dispose();
    await enough.close();
    await store.close();
    // Decompressed record batches count: two readers may come to keep the whole of this small dataset each.
    const compressed = { ...store, description: { ...store.description, compression: 'lz4' as const } };
    const kept = 2 * 90 * (100 + 13);
    const lz4 = frameTensors(compressed, statistics, { ...asked, budgetBytes: needed });
    await expect(lz4).rejects.toMatchObject({ tag: 'ConfigError', fields: { needed: needed + kept } });
    await rm(dir, { recursive: true });
  });

  it('sees the numbers that held frames have, also where more are wanted at once than the ring holds', async () => {
    const { store, split } = small({ bad: [7] });
    const train = [...split.part.keys()].filter((f) => split.part[f] === 0);
    const channels = ChannelsConfig.parse({ anomaly: 'frame', laplacian: true, coordinates: true });
    const statistics = await fitChannels(store, train, channels);
    const options = { frames: train, atOnce: 4 };
    const [held, streamed] = [
      await frameTensors(store, statistics, options),
      await frameTensors(store, statistics, { ...options, budgetBytes: 30_000 }),
    ];
    expect([held.resident, streamed.resident]).toEqual([true, false]);
    const wanted = Int32Array.of(...train.slice(0, 30), 3, 3, 12);
    const [a, b] = [await held.take(wanted), await streamed.take(wanted)];
    expect(b.shape).toEqual(a.shape);
    expect(b.dataSync()).toEqual(a.dataSync());
    dispose([a, b]);
    await held.close();
    await streamed.close();
  });

  it('reads ahead in threads without a change in numbers, whatever is asked for next', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'stormreel-ahead-'));
    await storeFrames(dir, { frames: 90, width: 10, height: 10 });
    const store = await openDataset(dir);
    const train = [...store.index.time.keys()];
    const statistics = await fitChannels(store, train, ChannelsConfig.parse({}));
    const held = await frameTensors(store, statistics, { frames: train, atOnce: 8 });
    for (const threads of [0, 1, 3]) {
      const streamed = await frameTensors(store, statistics, {
        frames: train,
        atOnce: 8,
        budgetBytes: 14_400, // two batches
        threads,
      });
      for (const start of [0, 8, 40, 41, 2]) {
        const wanted = Int32Array.from({ length: 8 }, (_, i) => start + i);
        const [a, b] = [await held.take(wanted), await streamed.take(wanted)];
        expect(b.dataSync()).toEqual(a.dataSync());
        dispose([a, b]);
        streamed.ahead(wanted.map((frame) => frame + 8)); // asked for next, but not always
      }
      await streamed.close();
    }
    await held.close();
    await store.close();
    await rm(dir, { recursive: true });
  });

  it('needs the same memory for any number of frames', async () => {
    const train = async (frames: number) => {
      const { most, ...data } = endless(frames);
      gc();
      const before = process.memoryUsage().arrayBuffers;
      const trained = await fitModel({
        ...data,
        model: modelConfig({ encoder: { kind: 'evidence', widths: [2] } }),
        training: trainingConfig({ windowLength: 4, batch: 2, steps: 12, evaluateEvery: 12 }),
        budgetBytes: BUDGET,
      });
      for (const member of trained.members) dispose(member);
      return most() - before;
    };
    const frames = [600, 6000];
    const [few, many] = [await train(frames[0]), await train(frames[1])];
    expect(frames[0] * FRAME_BYTES).toBeGreaterThan(BUDGET); // both are streamed
    expect(frames[1] * FRAME_BYTES * 2).toBeGreaterThan(100 * 2 ** 20);
    expect(many).toBeLessThan(few + 24 * 2 ** 20);
    expect(many).toBeLessThan(64 * 2 ** 20);
  });
});

describe('a step that does not fit in memory', () => {
  const FULL = { memory: 'full' } as const;
  const shape = { height: 600, width: 600, channels: 3, season: 0 };
  const model = buildModel(modelConfig(), shape);

  it('is refused before it is tried, with the batch that fits', async () => {
    const before = tensorCount();
    const asked = () =>
      planStep({ model, training: { ...FULL, batch: 8, windowLength: 15 }, memoryBytes: 8 * 2 ** 30 });
    expect(asked).toThrow(
      expect.objectContaining({
        tag: 'ConfigError',
        message: expect.stringContaining('8 windows of 15 frames of 600 x 600'),
        hint: expect.stringMatching(/training.batch to [1-7] or less/),
      }),
    );
    expect(() =>
      planStep({ model, training: { ...FULL, batch: 1, windowLength: 500 }, memoryBytes: 1e9 }),
    ).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/training.windowLength to \d+ or less/) }),
    );
    planStep({ model, training: { ...FULL, batch: 1, windowLength: 2 }, memoryBytes: 8 * 2 ** 30 });
    expect(tensorCount()).toBe(before);
    const fit = fitModel({
      ...small(),
      model: modelConfig({ encoder: { kind: 'cnn', widths: [4, 6] } }),
      training: trainingConfig(),
      memoryBytes: 1000,
    });
    await expect(fit).rejects.toMatchObject({ tag: 'ConfigError', fields: { memoryBytes: 1000 } });
    expect(tensorCount()).toBe(before);
  });

  it('is measured: twice the cells hold twice the bytes', () => {
    const half = buildModel(modelConfig(), { ...shape, height: 300 });
    expect(tapeBytes(model) / tapeBytes(half)).toBeCloseTo(2, 2);
  });
});
