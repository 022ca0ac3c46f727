import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  createDataset,
  type DecodeFrame,
  finalise,
  openSlots,
  writeSlot,
} from '../../pipeline/shards/index.js';
import { sweep } from '../../pipeline/shards/sweep.js';
import { DatasetDescription, type PlannedFrame } from '../../schemas/records/index.js';

const description = DatasetDescription.parse({
  formatVersion: 1,
  encoderVersion: 1,
  grid: { width: 2, height: 1, transform: null, crs: 'none' },
  sourceGrid: { width: 2, height: 1, transform: null, crs: 'none' },
  bands: [{ name: 'a', unit: null, scale: 1, offset: 0 }],
  dtype: 'u8',
  resampling: 'nearest',
  stepMs: 3_600_000,
  time: 'utc',
  series: [{ name: 's', transform: null, footprint: null, tile: null }],
});
const decode: DecodeFrame = async ({ time }) => ({
  values: Uint8Array.of(time / 3_600_000, 1),
  valid: Uint8Array.of(1, 1),
  sources: ['x'],
});
const planned = (hour: number): PlannedFrame => ({
  time: hour * 3_600_000,
  sources: [{ path: `${hour}.tif`, size: 1, mtimeMs: 1, index: 0, bands: [{ from: 0, to: 0 }] }],
});

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stormreel-sweep-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const plan = (hours: number) => {
  const frames = new Map([['s', Array.from({ length: hours }, (_, i) => planned(i))]]);
  return createDataset(dir, description, frames, { shardFrames: 2 });
};
const fill = async () => {
  for (const slot of await openSlots(dir))
    await writeSlot(dir, description, slot, { decode, onBadFrame: 'stop', attempt: 1 });
};
const shards = () => readdir(join(dir, 'shards', 's'));

it('a finalise that was held up takes no shard of a later revision away, committed or about to be', async () => {
  await plan(2);
  await fill();
  const { hash } = await finalise(dir);
  const known = new Set((await shards()).map((name) => `shards/s/${name}`));
  await plan(6); // two more slots
  const [next, last] = await openSlots(dir);
  await writeSlot(dir, description, next, { decode, onBadFrame: 'stop', attempt: 1 });
  await writeFile(join(dir, 'shards', 's', `${last.slot}-01234567.arrow`), 'its commit is yet to come');
  await writeFile(join(dir, 'shards', 's', `${next.slot}-01234567.arrow`), 'not what was committed');
  await writeFile(join(dir, 'shards', 's', 'r0009-s-000000-01234567.arrow'), 'of no plan');
  await sweep(dir, known);
  expect((await shards()).map((name) => name.slice(0, 14))).toEqual([
    'r0001-s-000000',
    'r0002-s-000000',
    'r0002-s-000001',
  ]);
  await fill();
  const finished = await finalise(dir);
  expect(finished).toMatchObject({ frames: 6, bad: 0 });
  expect(finished.hash).not.toBe(hash);
  expect(await shards()).toHaveLength(3);
});
