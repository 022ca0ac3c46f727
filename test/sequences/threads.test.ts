import { execFile } from 'node:child_process';
import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blockOrder, frameRing, segments, smallestBlock, windows } from '../../pipeline/sequences/index.js';
import { openDataset } from '../../pipeline/shards/index.js';
import { HOUR, storeFrames, valueAt } from '../shards/stored.js';

const FRAMES = 400;
const CELLS = 30;
const BAD = 33;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stormreel-threads-'));
  await storeFrames(dir, { frames: FRAMES, bad: [BAD] });
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const range = (start: number, length: number) => Array.from({ length }, (_, i) => start + i);

describe('a ring read by threads', () => {
  it('lends the same frames in the same order for 0, 1, 2 and 4 threads, and when their number changes midway', async () => {
    const store = await openDataset(dir);
    const list = windows(segments(store.index, HOUR), { length: 8, stride: 1 });
    const block = { blockWindows: smallestBlock(8, 1), openBlocks: 3 };
    const order = blockOrder({ windows: list.length, seed: 3, epoch: 1, ...block });
    /** The first value of every frame of windows from .. to - 1, borrowed two windows ahead. */
    async function run(threads: number, from: number, to: number): Promise<number[]> {
      const ring = frameRing(store, { capacityFrames: 80, threads });
      const framesOf = (i: number) => range(list.at(order.at(i)).start, 8);
      const ahead = range(from, Math.min(3, to - from)).map((i) => ring.borrow(framesOf(i)));
      const seen: number[] = [];
      for (let i = from; i < to; i++) {
        const loan = await ahead.shift()!;
        for (const row of loan.rows) seen.push(ring.valid[row * CELLS] * (1 + ring.values[row * CELLS]));
        loan.release();
        if (i + 3 < to) ahead.push(ring.borrow(framesOf(i + 3)));
      }
      await ring.close();
      return seen;
    }
    const expected = range(0, order.length).flatMap((i) =>
      range(list.at(order.at(i)).start, 8).map((f) => (f === BAD ? 0 : 1 + valueAt(f, 0))),
    );
    for (const threads of [0, 1, 2, 4]) expect(await run(threads, 0, order.length)).toEqual(expected);
    const half = Math.floor(order.length / 2);
    expect([...(await run(1, 0, half)), ...(await run(4, half, order.length))]).toEqual(expected);
    await store.close();
  });

  it('tells of a damaged shard as the calling thread would, lends the others, and refuses after close()', async () => {
    const copy = await mkdtemp(join(tmpdir(), 'stormreel-threads-'));
    await storeFrames(copy, { frames: 80 });
    const store = await openDataset(copy);
    const { shard } = store.origin.place(5);
    const file = await open(join(copy, shard), 'r+');
    await file.write(Uint8Array.of(255), 0, 1, (await file.stat()).size >> 1);
    await file.close();
    const faults: unknown[] = [];
    for (const threads of [0, 2]) {
      const ring = frameRing(store, { capacityFrames: 60, threads });
      await ring.borrow(range(0, 40)).catch((error) => faults.push(error));
      const { rows } = await ring.borrow(range(40, 20));
      expect(Array.from(rows, (row) => ring.values[row * CELLS])).toEqual(
        range(40, 20).map((f) => valueAt(f, 0)),
      );
      await ring.close();
      if (threads > 0) await expect(ring.borrow([70])).rejects.toThrow(/ended/);
    }
    expect(faults).toHaveLength(2);
    for (const fault of faults)
      expect(fault).toMatchObject({
        tag: 'CorruptShardError',
        fields: { shard },
        message: (faults[0] as Error).message,
      });
    await store.close();
    await rm(copy, { recursive: true });
  });

  it('does not outlive its process and keeps none up', async () => {
    const built = new URL('../../dist/index.js', import.meta.url).href;
    const script = `
      const { openDataset, frameRing } = await import(${JSON.stringify(built)});
      const store = await openDataset(${JSON.stringify(dir)});
      const ring = frameRing(store, { capacityFrames: 50, threads: 2 });
      const { rows } = await ring.borrow([1, 2, 3, 4, 5, 6, 7, 8]);
      process.stdout.write(String(rows.length));`; // neither closed nor released
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 60_000,
    });
    expect(stdout).toBe('8');
  });

  it('holds a few open files, whatever the number of shards', async () => {
    const copy = await mkdtemp(join(tmpdir(), 'stormreel-threads-'));
    await storeFrames(copy, { frames: 120, shardFrames: 2 });
    const store = await openDataset(copy);
    const before = (await readdir('/proc/self/fd').catch(() => [])).length;
    const ring = frameRing(store, { capacityFrames: 16 });
    for (let f = 0; f < 120; f++) (await ring.borrow([f])).release();
    expect((await readdir('/proc/self/fd').catch(() => [])).length - before).toBeLessThan(40);
    await store.close();
    await rm(copy, { recursive: true });
  });
});
