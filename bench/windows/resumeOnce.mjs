/** One run of `npm run bench:resume`: the last batch of an epoch's windows. Prints one JSON line. */
import { parseArgs } from 'node:util';
import {
  blockOrder,
  frameRing,
  smallestBlock,
  timeline,
  windows,
} from '../../dist/pipeline/sequences/index.js';
import { memoryStore, openDataset } from '../../dist/pipeline/shards/index.js';
import { makeBatch } from '../../dist/pipeline/training/batch.js';

const HOUR = 3_600_000;
const LENGTH = 16;
const BATCH = 32;
const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    frames: { type: 'string' },
    gaps: { type: 'string', default: 'split' },
    shuffled: { type: 'boolean', default: false },
    began: { type: 'string' },
  },
});

const loaded = Date.now();
const store = options.data ? await openDataset(options.data) : computed(Number(options.frames));
const { index, description } = store;
const slots = timeline(index, description.stepMs, { gaps: options.gaps, longestFill: LENGTH - 1 });
const list = windows(slots.segments, { length: LENGTH, stride: 1 });
const indexed = Date.now();
const blockWindows = smallestBlock(LENGTH, 1);
const order = options.shuffled
  ? blockOrder({
      windows: list.length,
      seed: 1,
      epoch: 3,
      blockWindows,
      openBlocks: Math.ceil(1024 / blockWindows),
    })
  : { at: (i) => i };
const position = list.length - BATCH;
const labels = { label: column(() => 0), ignore: column(() => 0) };
const source = { index, labels, timeline: slots, windows: list, season: true };
const batch = makeBatch(
  source,
  Array.from({ length: BATCH }, (_, b) => order.at(position + b)),
);
const ring = frameRing(store, { capacityFrames: BATCH * LENGTH });
const { rows } = await ring.borrow(batch.frames);
const size = description.grid.width * description.grid.height * description.bands.length;
const values = new Float32Array(rows.length * size);
rows.forEach((row, i) => {
  values.set(ring.values.subarray(row * size, (row + 1) * size), i * size);
});
const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify({
    window: position,
    ms: Date.now() - Number(options.began),
    indexMs: indexed - loaded,
    cpuMs: (user + system) / 1000,
    residentMiB: Math.round(process.memoryUsage().rss / 2 ** 20),
  }),
);
await ring.close();
await store.close();

/** Hourly frames of one cell with three hours missing in the middle; nothing is listed. */
function computed(length) {
  const half = length / 2;
  const grid = { width: 1, height: 1, transform: null, crs: 'none' };
  const index = {
    length,
    seriesNames: ['a'],
    series: column(() => 0),
    time: column((frame) => (frame < half ? frame : frame + 3) * HOUR),
    ok: column(() => 1),
    runs: [
      { start: 0, length: half },
      { start: half, length: length - half },
    ],
  };
  const bands = [{ name: 'b0', unit: null, scale: 1, offset: 0 }];
  const described = { grid, bands, dtype: 'f32', stepMs: HOUR };
  return {
    ...memoryStore({ description: described, index, values: new Float32Array(0) }),
    async read(frames, out) {
      frames.forEach((frame, i) => {
        out.values[i] = frame;
        out.valid[i] = 1;
      });
    },
  };
}

/** A column whose entries are computed. */
function column(value) {
  return new Proxy([], { get: (_, frame) => value(Number(frame)) });
}
