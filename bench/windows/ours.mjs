/**
 * Our side of `npm run bench:windows`: float32 batches of stride-1 windows out of a dataset, in order or shuffled, epoch
 * after epoch for a fixed time. Prints one JSON line.
 *
 *   node bench/windows/ours.mjs --data FOLDER --order shuffled --threads 2 --seconds 3
 */
import { parseArgs } from 'node:util';
import { blockOrder, segments, windowBatches, windows } from '../../dist/pipeline/sequences/index.js';
import { openDataset } from '../../dist/pipeline/shards/index.js';
import { meter } from './meter.mjs';

const LENGTH = 16;
/** Blocks of 64 windows, 16 of them mixed: 1 + 15 / 64 reads a frame. */
const BLOCKS = { blockWindows: 64, openBlocks: 16 };
const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    order: { type: 'string', default: 'in order' },
    batch: { type: 'string', default: '32' },
    threads: { type: 'string', default: '0' },
    seconds: { type: 'string', default: '3' },
  },
});

const BATCH = Number(options.batch);
const store = await openDataset(options.data);
const { width, height } = store.description.grid;
const size = LENGTH * width * height * store.description.bands.length;
const list = windows(segments(store.index, store.description.stepMs), { length: LENGTH, stride: 1 });
const measured = meter({ epoch: list.length, seconds: Number(options.seconds) });
let reads = null; // a frame, of the last whole epoch
let [epochsDone, readsBefore] = [0, 0];
for await (const batch of windowBatches(store, list, {
  batch: BATCH,
  order: epochs(options.order === 'shuffled'),
  threads: Number(options.threads),
  masks: false, // the peers have none
})) {
  const firsts = Array.from({ length: batch.shape[0] }, (_, i) => batch.values[i * size]);
  if (Math.floor(batch.position / list.length) > epochsDone) {
    epochsDone++;
    reads = (batch.reads - readsBefore) / store.index.length;
    readsBefore = batch.reads;
  }
  if (measured.done(firsts)) break;
}
console.log(JSON.stringify({ ...measured.result(), readsPerFrame: reads }));
await store.close();

/** Epoch after epoch as one order. */
function epochs(shuffled) {
  const n = list.length;
  let [epoch, order] = [-1, null];
  return {
    length: 1e6 * n,
    blocks: shuffled ? BLOCKS : { blockWindows: BATCH, openBlocks: 1 },
    at(i) {
      if (!shuffled) return i % n;
      if (Math.floor(i / n) !== epoch) {
        epoch = Math.floor(i / n);
        order = blockOrder({ windows: n, seed: 1, epoch, ...BLOCKS });
      }
      return order.at(i % n);
    },
  };
}
