/** Batches out of stored frames, beside the same frames as the store itself reads them. */
import { execFile } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { floatBatches } from '../../pipeline/sequences/floatBatches.js';
import { blockOrder, segments, windowBatches, windows } from '../../pipeline/sequences/index.js';
import { windowRoom } from '../../pipeline/sequences/windowRoom.js';
import { type Dataset, openDataset } from '../../pipeline/shards/index.js';
import type { DatasetDescription } from '../../schemas/records/index.js';
import { HOUR, type Stored, storeFrames } from '../shards/stored.js';

const FRAMES = 90;
const LENGTH = 6;
const SIZE = { width: 7, height: 5, bands: 3 };
const CELLS = SIZE.width * SIZE.height;
const NUMBERS = CELLS * SIZE.bands;
const bad = [20, 21];
/** Some frames whole, some with holes, some with hardly a cell. */
const hole = (frame: number, cell: number) =>
  frame % 3 === 1 ? (cell * 5 + frame) % 7 === 0 : frame % 3 === 2 && cell !== frame % CELLS;
const cases: Omit<Stored, 'frames'>[] = [
  {},
  { dtype: 'u8', scale: 0.1, offset: -273.15, hole },
  { dtype: 'i16', scale: 1 / 3, offset: 1e5 },
  { dtype: 'u16', hole, compression: 'lz4' },
  { dtype: 'f32', hole },
  { dtype: 'f32', compression: 'lz4' },
];
let dir: string;
const folder = (i: number) => join(dir, String(i));
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stormreel-stored-'));
  for (const [i, one] of cases.entries())
    await storeFrames(folder(i), { frames: FRAMES, shardFrames: 32, bad, ...SIZE, ...one });
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const listOf = (store: Dataset) => windows(segments(store.index, HOUR), { length: LENGTH, stride: 1 });

/** All frames as the store reads them. */
async function read(store: Dataset) {
  const values = new Float32Array(FRAMES * NUMBERS);
  const valid = new Uint8Array(FRAMES * CELLS);
  await store.read(
    Array.from({ length: FRAMES }, (_, f) => f),
    { values, valid },
  );
  return { values, valid };
}

const same = (a: ArrayBufferView, b: ArrayBufferView) =>
  Buffer.compare(
    Buffer.from(a.buffer as ArrayBuffer, a.byteOffset, a.byteLength),
    Buffer.from(b.buffer as ArrayBuffer, b.byteOffset, b.byteLength),
  ) === 0;

describe('batches of stored frames', () => {
  it.each(cases.map((one, i) => ({ name: JSON.stringify(one), masked: one.hole !== undefined, i })))(
    'hold what the store reads, bit for bit: $name',
    async ({ i }) => {
      const store = await openDataset(folder(i));
      const all = await read(store);
      const list = listOf(store);
      const order = blockOrder({
        ...{ windows: list.length, seed: 4, epoch: 0 },
        ...{ blockWindows: 8, openBlocks: 2 },
      });
      let wrong = 0;
      for (const threads of [0, 1, 2])
        for (const chosen of [undefined, order])
          for (const masks of [true, false]) {
            const batches = windowBatches(store, list, { batch: 5, order: chosen, threads, masks });
            let seen = 0;
            for await (const { frames, values, valid } of batches) {
              frames.forEach((f, k) => {
                const numbers = values.subarray(k * NUMBERS, (k + 1) * NUMBERS);
                if (!same(numbers, all.values.subarray(f * NUMBERS, (f + 1) * NUMBERS))) wrong++;
                const cells = valid?.subarray(k * CELLS, (k + 1) * CELLS);
                if (cells && !same(cells, all.valid.subarray(f * CELLS, (f + 1) * CELLS))) wrong++;
                if ((cells !== undefined) !== masks) wrong++;
              });
              seen += frames.length;
            }
            expect(seen).toBe(list.length * LENGTH);
          }
      expect(wrong).toBe(0);
      await store.close();
    },
  );

  it('are those of the ring of physical units, which stands in where memory is too small', async () => {
    const store = await openDataset(folder(1));
    const list = listOf(store);
    const room = {
      frames: 5 * LENGTH,
      ahead: 1,
      threads: 1,
      masks: true,
      capacityFrames: 60,
      keepFrames: 40,
    };
    const maker = floatBatches(store, room);
    for await (const { frames, values, valid } of windowBatches(store, list, { batch: 5 })) {
      maker.begin(frames);
      const other = await maker.next();
      expect(same(values, other.values) && same(valid!, other.valid!)).toBe(true);
    }
    await maker.close();
    await store.close();
  });

  it('have no memory over 4 GiB, and take none below before it is used', () => {
    const grid = { width: 1000, height: 1000 };
    const description = { grid, bands: [{ scale: 1, offset: 0 }], dtype: 'u8' } as DatasetDescription;
    const size = { capacity: 100, masks: true, shared: true };
    const before = process.memoryUsage().rss;
    expect(windowRoom(description, { ...size, frames: 800 })?.places.end).toBeGreaterThan(2 ** 31);
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28);
    expect(windowRoom(description, { ...size, frames: 1000 })).toBeNull();
  });

  it('tell of a damaged shard when its turn comes, in any number of threads, with the batches before it', async () => {
    const copy = join(dir, 'damaged');
    await storeFrames(copy, { frames: FRAMES, shardFrames: 32, ...SIZE });
    const store = await openDataset(copy);
    const { shard } = store.origin.place(70);
    const file = await open(join(copy, shard), 'r+');
    await file.write(Uint8Array.of(255), 0, 1, (await file.stat()).size >> 1);
    await file.close();
    const found: unknown[] = [];
    for (const threads of [0, 1, 2]) {
      let position = 0;
      try {
        for await (const batch of windowBatches(store, listOf(store), { batch: 4, threads }))
          position = batch.position;
      } catch (error) {
        const { tag, fields, message } = error as { tag: string; fields: unknown; message: string };
        found.push({ tag, fields, message, position });
      }
    }
    expect(found[0]).toMatchObject({ tag: 'CorruptShardError', fields: { shard } });
    expect((found[0] as { position: number }).position).toBeGreaterThan(40);
    expect(found).toEqual([found[0], found[0], found[0]]);
    await store.close();
  });

  it('keep no process up that leaves them, and end with one that stops early', async () => {
    const built = new URL('../../dist/index.js', import.meta.url).href;
    const script = (rest: string) => `
      const { openDataset, segments, windowBatches, windows } = await import(${JSON.stringify(built)});
      const store = await openDataset(${JSON.stringify(folder(0))});
      const list = windows(segments(store.index, 3600000), { length: 6, stride: 1 });
      const batches = windowBatches(store, list, { batch: 4, threads: 2 });
      ${rest}`;
    const run = (rest: string) =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', script(rest)], { timeout: 60_000 });
    const left = await run('process.stdout.write(String((await batches.next()).value.position))');
    expect(left.stdout).toBe('4');
    const stopped = await run(`for await (const { position } of batches) if (position === 8) break;
      await store.close();
      process.stdout.write('closed')`);
    expect(stopped.stdout).toBe('closed');
  });
});
