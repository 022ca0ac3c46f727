/**
 * One contender of `npm run bench:windows`: float32 batches of stride-1 windows out of a dataset, in order or shuffled.
 * Prints one JSON line. `--lend`: windows are lent as rows of the ring, not copied into a batch.
 *
 *   node bench/windows/ours.mjs --data FOLDER --order shuffled --threads 1
 */
import { parseArgs } from 'node:util';
import {
  blockOrder,
  frameRing,
  segments,
  smallestBlock,
  windows,
} from '../../dist/pipeline/sequences/index.js';
import { openDataset } from '../../dist/pipeline/shards/index.js';

const LENGTH = 16;
const BATCH = 32;
const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    order: { type: 'string', default: 'in order' },
    threads: { type: 'string', default: '0' },
    lend: { type: 'boolean', default: false },
  },
});

const store = await openDataset(options.data);
const { width, height } = store.description.grid;
const size = width * height * store.description.bands.length;
const list = windows(segments(store.index, store.description.stepMs), { length: LENGTH, stride: 1 });
const blockWindows = Math.max(16, smallestBlock(LENGTH, 1));
const openBlocks = Math.ceil(1024 / blockWindows);
const shuffled = options.order === 'shuffled';
const order = shuffled
  ? blockOrder({ windows: list.length, seed: 1, epoch: 0, blockWindows, openBlocks })
  : { length: list.length, at: (i) => i };
const capacityFrames = shuffled ? openBlocks * (LENGTH + blockWindows - 1) : 4 * (LENGTH + BATCH);
const ring = frameRing(store, { capacityFrames, threads: Number(options.threads) });
const batch = new Float32Array(BATCH * LENGTH * size);

function borrow(from) {
  const frames = new Int32Array(Math.min(BATCH, order.length - from) * LENGTH);
  for (let i = 0; i < frames.length; i++)
    frames[i] = list.at(order.at(from + Math.floor(i / LENGTH))).start + (i % LENGTH);
  return ring.borrow(frames);
}

let sum = 0;
const began = performance.now();
let next = borrow(0);
for (let from = 0; from < order.length; from += BATCH) {
  const loan = await next;
  if (from + BATCH < order.length) next = borrow(from + BATCH);
  if (!options.lend)
    for (let i = 0; i < loan.rows.length; i++)
      batch.set(ring.values.subarray(loan.rows[i] * size, (loan.rows[i] + 1) * size), i * size);
  for (let i = 0; i < loan.rows.length; i += LENGTH) sum += ring.values[loan.rows[i] * size];
  loan.release();
}
const seconds = (performance.now() - began) / 1000;
console.log(
  JSON.stringify({
    windowsPerSecond: order.length / seconds,
    readsPerFrame: ring.reads / store.index.length,
    sum,
  }),
);
await ring.close();
await store.close();
