import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BatchWork } from '../../pipeline/sequences/batchWork.js';
import { type Crew, crewOf } from '../../pipeline/sequences/crew.js';
import { type PartQueue, partQueue, queueWords, READ, UNPACK } from '../../pipeline/sequences/partQueue.js';
import { windowRoom } from '../../pipeline/sequences/windowRoom.js';
import { type Dataset, openDataset } from '../../pipeline/shards/index.js';
import { storeFrames, valueAt } from '../shards/stored.js';

const NUMBERS = 30;
let dir: string;
let store: Dataset;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stormreel-crew-'));
  await storeFrames(dir, { frames: 12 });
  store = await openDataset(dir);
});
afterAll(async () => {
  await store.close();
  await rm(dir, { recursive: true, force: true });
});

/** One batch of frames 3, 4 and nothing, which nobody but the threads of a crew works on. */
async function withThreads(
  count: number,
  use: (given: { crew: Crew; queue: PartQueue; work: BatchWork }) => Promise<void>,
  batch = 0,
): Promise<void> {
  const room = windowRoom(store.description, { capacity: 2, frames: 3, masks: true, shared: true })!;
  const work: BatchWork = {
    address: store.origin.address,
    description: store.description,
    ...{ room, words: queueWords(1, 8), slots: 1, frames: 3, masks: true, shared: true },
    reads: new Int32Array(new SharedArrayBuffer(48)),
    unpacks: new Int32Array(new SharedArrayBuffer(24)),
  };
  const queue = partQueue(work.words, 1);
  const crew = crewOf(work, count);
  crew.tell({ number: 0, name: store.origin.place(3).shard });
  work.reads.set([0, batch, 3, 0, 0, batch, 4, 1]);
  work.unpacks.set([1, 0, 0, 1, -1, 2]);
  queue.open(0, 0, { reads: 2, unpacks: 2 });
  queue.publish([
    { kind: READ, slot: 0, from: 0, to: 1 },
    { kind: READ, slot: 0, from: 1, to: 2 },
    { kind: UNPACK, slot: 0, from: 0, to: 1 },
    { kind: UNPACK, slot: 0, from: 1, to: 3 },
  ]);
  while (!queue.made(0) && !crew.ended()) await new Promise((resolve) => setTimeout(resolve, 5));
  try {
    await use({ crew, queue, work });
  } finally {
    await crew.close();
  }
}

describe('a crew of threads', () => {
  it.each([1, 3])('makes a batch that its caller leaves alone: %i', async (count) => {
    await withThreads(count, async ({ crew, queue, work }) => {
      const { memory, places } = work.room;
      const values = new Float32Array(memory.buffer, places.values, 3 * NUMBERS);
      const valid = new Uint8Array(memory.buffer, places.valid, 3 * NUMBERS);
      const cells = Array.from({ length: NUMBERS }, (_, cell) => cell);
      expect([...values]).toEqual([
        ...cells.map((cell) => valueAt(4, cell)),
        ...cells.map((cell) => valueAt(3, cell)),
        ...cells.map(() => 0),
      ]);
      expect([...valid]).toEqual([...cells.map(() => 1), ...cells.map(() => 1), ...cells.map(() => 0)]);
      expect([queue.failed(0), crew.fault(0), crew.ended()]).toEqual([false, undefined, null]);
    });
  });

  it('tells what went wrong in a batch, once, and goes on to live', async () => {
    await withThreads(
      2,
      async ({ crew, queue }) => {
        expect(queue.failed(0)).toBe(true);
        let fault: Error | undefined;
        while (!fault) {
          fault = crew.fault(0);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        expect(fault).toMatchObject({
          tag: 'CorruptShardError',
          message: expect.stringContaining('no record batch 9'),
        });
        expect(crew.ended()).toBeNull();
      },
      9,
    );
  });
});
