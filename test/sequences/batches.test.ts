import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  blockOrder,
  segments,
  type WindowBatchOptions,
  windowBatches,
  windows,
} from '../../pipeline/sequences/index.js';
import { type Dataset, memoryStore, openDataset } from '../../pipeline/shards/index.js';
import { description, frameIndex, steps } from '../labels/frames.js';
import { HOUR, storeFrames, valueAt } from '../shards/stored.js';

const FRAMES = 130;
const BAD = 33;
const CELLS = 30;
let dir: string;
let store: Dataset;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stormreel-batches-'));
  await storeFrames(dir, { frames: FRAMES, bad: [BAD] });
  store = await openDataset(dir);
});
afterAll(async () => {
  await store.close();
  await rm(dir, { recursive: true, force: true });
});

const listOf = (length: number, stride: number) => windows(segments(store.index, HOUR), { length, stride });

/** All windows as lent, copied: frames, values, masks; and where each batch ended. */
async function all(list: ReturnType<typeof listOf>, options: WindowBatchOptions) {
  const seen: { frames: number[]; values: number[]; valid: number[] }[] = [];
  const positions: number[] = [];
  const places = new Set<ArrayBufferLike>();
  let reads = 0;
  for await (const { shape, values, valid, frames, position, ...batch } of windowBatches(
    store,
    list,
    options,
  )) {
    expect(shape.slice(1)).toEqual([list.windowLength, 5, 6, 1]);
    expect(values.length).toBe(shape.reduce((a, b) => a * b));
    await new Promise((resolve) => setImmediate(resolve)); // the next batches may be made meanwhile
    const window = list.windowLength * CELLS;
    for (let i = 0; i < shape[0]; i++)
      seen.push({
        frames: [...frames.subarray(i * list.windowLength, (i + 1) * list.windowLength)],
        values: [...values.subarray(i * window, (i + 1) * window)],
        valid: valid ? [...valid.subarray(i * window, (i + 1) * window)] : [],
      });
    positions.push(position);
    places.add(values.buffer);
    reads = batch.reads;
  }
  expect(places.size).toBeLessThanOrEqual(1); // lent memory is used again
  return { seen, positions, reads };
}

/** The window at `start` read the plain way. */
function naive(start: number, length: number, time: number) {
  const frames = [...Array(time - length).fill(-1), ...Array.from({ length }, (_, k) => start + k)];
  const there = (f: number) => f >= 0 && f !== BAD;
  const cells = Array.from({ length: CELLS }, (_, c) => c);
  return {
    frames,
    values: frames.flatMap((f) => cells.map((c) => (there(f) ? valueAt(f, c) : 0))),
    valid: frames.flatMap((f) => cells.map(() => (there(f) ? 1 : 0))),
  };
}

describe('windowBatches', () => {
  it('lends what a plain reading gives, in order and shuffled, for any threads, batches and batches ahead', async () => {
    for (const [T, s, batch] of [
      [8, 1, 7],
      [5, 3, 4],
      [1, 1, 64],
      [16, 16, 3],
    ]) {
      const list = listOf(T, s);
      const blocks = { blockWindows: 6, openBlocks: 2 };
      const mixed = blockOrder({ windows: list.length, seed: 2, epoch: 1, ...blocks });
      for (const order of [undefined, mixed]) {
        const expected = Array.from({ length: list.length }, (_, i) => {
          const { start, length } = list.at(order ? order.at(i) : i);
          return naive(start, length, T);
        });
        for (const threads of [0, 2]) {
          const { seen, positions } = await all(list, { batch, order, threads });
          expect(seen).toEqual(expected);
          expect(positions.at(-1)).toBe(list.length);
        }
        const { seen } = await all(list, { batch, order, ahead: 3, masks: false });
        expect(seen.map(({ values }) => values)).toEqual(expected.map(({ values }) => values));
      }
    }
  });
  it('goes on from a position with the same windows', async () => {
    const list = listOf(8, 1);
    const order = blockOrder({ windows: list.length, seed: 5, epoch: 0, blockWindows: 7, openBlocks: 3 });
    const { seen, positions } = await all(list, { batch: 10, order });
    const rest = await all(list, { batch: 10, order, from: positions[3], threads: 1 });
    expect(rest.seen).toEqual(seen.slice(positions[3]));
    expect((await all(list, { batch: 10, from: list.length })).seen).toEqual([]);
  });
  it('reads a frame once in order and less than twice shuffled', async () => {
    const list = listOf(8, 1);
    expect((await all(list, { batch: 9 })).reads).toBe(FRAMES);
    const order = blockOrder({ windows: list.length, seed: 5, epoch: 0, blockWindows: 8, openBlocks: 2 });
    const { reads } = await all(list, { batch: 4, order });
    expect(reads).toBeLessThan(2 * FRAMES);
  });
  it('pads short windows and empty slots in front and within, with zeros', async () => {
    const small = memoryStore({
      description: description(),
      index: frameIndex({ a: steps('2020-01-01T00:00Z', 3) }),
      values: Float32Array.from({ length: 36 }, (_, i) => 1 + Math.floor(i / 12)),
    });
    const list = windows([{ series: 0, start: 0, length: 4 }], { length: 6, stride: 1 });
    const timeline = { frame: (slot: number) => [0, -1, 1, 2][slot] };
    for await (const { frames, values, valid } of windowBatches(small, list, { batch: 2, timeline })) {
      expect([...frames]).toEqual([-1, -1, 0, -1, 1, 2]);
      expect([0, 1, 2, 3, 4, 5].map((k) => values[k * 12])).toEqual([0, 0, 1, 0, 2, 3]);
      expect([0, 1, 2, 3, 4, 5].map((k) => valid?.[k * 12])).toEqual([0, 0, 1, 0, 1, 1]);
    }
  });
  it('ends its threads when the caller stops early, and refuses what cannot be', async () => {
    const list = listOf(8, 1);
    for await (const { position } of windowBatches(store, list, { batch: 2, threads: 2 }))
      if (position >= 6) break;
    for (const options of [{ batch: 0 }, { batch: 1.5 }, { batch: 2, from: 500 }, { batch: 2, ahead: -1 }])
      await expect(windowBatches(store, list, options).next()).rejects.toMatchObject({
        tag: 'ConfigError',
        fields: { length: list.length, batch: options.batch },
      });
  });
});
