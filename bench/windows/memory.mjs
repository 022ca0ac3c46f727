/**
 * Memory of an epoch over a dataset that is 20 times as large as the ring, shuffled and read by a thread: anonymous
 * memory (Linux), looked at all along.
 *
 *   npm run bench:memory -- [--ring-mib 32] [--times 20] [--json]             # frames lent by the ring of training
 *   npm run bench:memory -- --batches [--times 20] [--json]                    # batches of `windowBatches`
 *   npm run bench:memory -- --train [--memory-mib 32] [--times 20] [--json]   # a whole epoch of training
 */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  blockOrder,
  frameRing,
  segments,
  smallestBlock,
  windowBatches,
  windows,
} from '../../dist/pipeline/sequences/index.js';
import { openDataset } from '../../dist/pipeline/shards/index.js';
import { makeData } from './data.mjs';

const { values: options } = parseArgs({
  options: {
    'ring-mib': { type: 'string', default: '32' },
    times: { type: 'string', default: '20' },
    train: { type: 'boolean', default: false },
    batches: { type: 'boolean', default: false },
    'memory-mib': { type: 'string', default: '32' },
    json: { type: 'boolean', default: false },
  },
});
if (options.train) {
  const { trainingMemory } = await import('./trainMemory.mjs');
  tell(await trainingMemory({ memoryMiB: Number(options['memory-mib']), times: Number(options.times) }));
  process.exit();
}
const MIB = 2 ** 20;
const SIZE = 64;
const FRAME_BYTES = SIZE * SIZE * 3 * 4; // as the ring holds it
const LENGTH = 8;
const capacityFrames = Math.floor((Number(options['ring-mib']) * MIB) / FRAME_BYTES);
const frames = capacityFrames * Number(options.times);
const folder = join(tmpdir(), `stormreel-bench-memory-${frames}`);
await makeData(folder, { frames, size: SIZE, raw: false });

const anonymousMiB = () =>
  Number(/RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
const shmemMiB = () => Number(/RssShmem:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
const before = anonymousMiB();
const store = await openDataset(join(folder, 'dataset'));
const list = windows(segments(store.index, store.description.stepMs), { length: LENGTH, stride: 1 });
const blockWindows = Math.max(16, smallestBlock(LENGTH, 1));
const openBlocks = Math.max(1, Math.floor(capacityFrames / 2 / (LENGTH + blockWindows - 1)));
const order = blockOrder({ windows: list.length, seed: 1, epoch: 0, blockWindows, openBlocks });
const samples = [];
let [reads, ringMiB] = [0, Number(options['ring-mib'])];
/** Twenty looks in an epoch. */
const look = (i) => {
  if (i % Math.ceil(order.length / 20) === 0) samples.push(Math.round(anonymousMiB() + shmemMiB()));
};
if (options.batches) await lendBatches();
else await lendFrames();
const result = {
  frames,
  framesMiB: Math.round((frames * FRAME_BYTES) / MIB),
  ringMiB,
  readsPerFrame: Number((reads / frames).toFixed(3)),
  beforeMiB: Math.round(before),
  samplesMiB: samples,
  mostAboveRingMiB: Math.max(...samples) - ringMiB,
};
await store.close();
tell(result);

async function lendFrames() {
  const ring = frameRing(store, { capacityFrames, threads: 1 });
  for (let i = 0; i < order.length; i++) {
    const { start } = list.at(order.at(i));
    const loan = await ring.borrow(Int32Array.from({ length: LENGTH }, (_, k) => start + k));
    loan.release();
    look(i);
  }
  reads = ring.reads;
  await ring.close();
}

/** Ring and batches together count as the ring: stored bytes of the open blocks, two batches of floats. */
async function lendBatches() {
  const batch = 8;
  const kept = Math.ceil(1.25 * openBlocks * (LENGTH + blockWindows - 1)) + batch;
  const batchBytes = 2 * batch * LENGTH * FRAME_BYTES;
  ringMiB = Math.round(((kept * FRAME_BYTES) / 4 + batchBytes) / MIB);
  for await (const made of windowBatches(store, list, { batch, order, threads: 1, masks: false })) {
    reads = made.reads;
    for (let i = made.position - made.shape[0]; i < made.position; i++) look(i);
  }
}

function tell(found) {
  if (options.json) console.log(JSON.stringify(found));
  else for (const [name, value] of Object.entries(found)) console.log(`${name.padEnd(18)} ${value}`);
}
