/** The frames of the benchmarks of windows: u8 noise by a fixed rule, as a dataset and as one raw file of the same bytes. */
import { existsSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { createDataset, finalise, openSlots, writeSlot } from '../../dist/pipeline/shards/index.js';
import { DatasetDescription } from '../../dist/schemas/records/index.js';

const HOUR = 3_600_000;
const BANDS = 3;

/** Makes `folder`/dataset and `folder`/frames.u8 unless they are there. */
export async function makeData(folder, { frames, size, raw = true, shardFrames = 512 }) {
  const done = join(folder, 'dataset', 'manifest.json');
  if (existsSync(done)) return;
  await mkdir(folder, { recursive: true });
  const grid = { width: size, height: size, transform: null, crs: 'none' };
  const description = DatasetDescription.parse({
    formatVersion: 1,
    encoderVersion: 1,
    grid,
    sourceGrid: grid,
    bands: Array.from({ length: BANDS }, (_, b) => ({ name: `b${b}`, unit: null, scale: 1, offset: 0 })),
    dtype: 'u8',
    resampling: 'nearest',
    stepMs: HOUR,
    time: 'utc',
    series: [{ name: 'a', transform: null, footprint: null, tile: null }],
  });
  const planned = Array.from({ length: frames }, (_, f) => ({
    time: f * HOUR,
    sources: [{ path: `${f}.tif`, size: 1, mtimeMs: 1, index: 0, bands: [{ from: 0, to: 0 }] }],
  }));
  const dir = join(folder, 'dataset');
  await createDataset(dir, description, new Map([['a', planned]]), { shardFrames });
  const valid = new Uint8Array(size * size).fill(1);
  const decode = async ({ time }) => ({ values: frameOf(time / HOUR, size), valid, sources: [String(time)] });
  for (const slot of await openSlots(dir))
    await writeSlot(dir, description, slot, { decode, onBadFrame: 'stop', attempt: 1 });
  await finalise(dir);
  if (!raw) return;
  const file = await open(join(folder, 'frames.u8'), 'w');
  for (let f = 0; f < frames; f++) await file.write(frameOf(f, size));
  await file.close();
}

function frameOf(frame, size) {
  const values = new Uint8Array(size * size * BANDS);
  for (let i = 0; i < values.length; i++) values[i] = Math.imul(i + frame * 977, 0x9e3779b1) >>> 24;
  return values;
}
