/**
 * Windows into TensorFlow, in order: put together in JavaScript and sent whole, beside frames sent once and gathered there.
 * Both end as a tensor `[batch, time, height, width, band]` whose first numbers are read back.
 *
 *   npm run bench:tensor -- [--backend tensorflow|wasm|cpu] [--batch 8] [--frames 1000] [--rounds 5] [--json]
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { frameRing, segments, windows } from '../../dist/pipeline/sequences/index.js';
import { openDataset } from '../../dist/pipeline/shards/index.js';
import * as t from '../../dist/pipeline/tensor/index.js';
import { makeData } from './data.mjs';

const LENGTH = 16;
const { values: options } = parseArgs({
  options: {
    backend: { type: 'string' },
    batch: { type: 'string', default: '8' },
    frames: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const batch = Number(options.batch);
const folder = join(tmpdir(), `stormreel-bench-tensor-${options.frames}`);
await makeData(folder, { frames: Number(options.frames), size: 64, raw: false });
const store = await openDataset(join(folder, 'dataset'));
const { width, height } = store.description.grid;
const bands = store.description.bands.length;
const size = width * height * bands;
const list = windows(segments(store.index, store.description.stepMs), { length: LENGTH, stride: 1 });
const { name: backend } = await t.openBackend({ backend: options.backend });

/** Reads the first number of each window, which the backend must have by then. */
async function look(x, count) {
  const first = t.slice(x, [0, 0, 0, 0, 0], [count, 1, 1, 1, 1]);
  const numbers = await first.data();
  t.dispose([x, first]);
  return numbers.reduce((a, b) => a + b, 0);
}

/** Batch by batch: `make(values of frames, number of windows)` gives the tensor. */
async function epoch(framesOf, make) {
  const ring = frameRing(store, { capacityFrames: 2 * (batch + LENGTH) });
  let sum = 0;
  for (let from = 0; from < list.length; from += batch) {
    const count = Math.min(batch, list.length - from);
    const loan = await ring.borrow(framesOf(from, count));
    const values = new Float32Array(loan.rows.length * size); // a backend may keep what it is given
    loan.rows.forEach((row, k) => {
      values.set(ring.values.subarray(row * size, (row + 1) * size), k * size);
    });
    loan.release();
    sum += await look(make(values, count), count);
  }
  await ring.close();
  return sum;
}

const framesOfWindows = (from, count) =>
  Int32Array.from({ length: count * LENGTH }, (_, i) => from + Math.floor(i / LENGTH) + (i % LENGTH));

const builtHere = () =>
  epoch(framesOfWindows, (values, count) => t.tensor(values, [count, LENGTH, height, width, bands]));

/** The frames of a batch once, as its windows overlap. */
const gathered = () =>
  epoch(
    (from, count) => Int32Array.from({ length: count + LENGTH - 1 }, (_, k) => from + k),
    (values, count) => {
      const frames = t.tensor(values, [count + LENGTH - 1, height, width, bands]);
      const flat = t.gather(frames, framesOfWindows(0, count)); // [batch*time, height, width, band]
      const x = t.reshape(flat, [count, LENGTH, height, width, bands]);
      t.dispose([frames, flat]);
      return x;
    },
  );

const times = { builtHere: [], gathered: [] };
const sums = new Set();
for (let round = 0; round <= Number(options.rounds); round++)
  for (const [name, way] of Object.entries({ builtHere, gathered })) {
    const began = performance.now();
    sums.add(await way());
    if (round > 0) times[name].push(list.length / ((performance.now() - began) / 1000));
  }
if (sums.size > 1) throw new Error(`the two saw different windows: sums ${[...sums].join(', ')}`);
await store.close();
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const [whole, once] = [median(times.builtHere), median(times.gathered)];
const result = { backend, batch, builtHere: whole, gathered: once, ratio: once / whole };
if (options.json) console.log(JSON.stringify(result));
else
  console.log(
    `${backend}: windows sent whole ${Math.round(whole)}/s, frames sent once ${Math.round(once)}/s: ${result.ratio.toFixed(2)} x`,
  );
