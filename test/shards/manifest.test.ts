import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDataset, finalise, openDataset, openSlots, writeSlot } from '../../pipeline/shards/index.js';
import { DatasetDescription } from '../../schemas/records/index.js';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stormreel-manifest-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

it('gives back times of any size, before 1970 too', async () => {
  const grid = { width: 1, height: 1, transform: null, crs: 'none' };
  const description = DatasetDescription.parse({
    ...{ formatVersion: 1, encoderVersion: 1, grid, sourceGrid: grid, dtype: 'u8', resampling: 'nearest' },
    bands: [{ name: 'a', unit: null, scale: 1, offset: 0 }],
    ...{ stepMs: 1000, time: 'utc' },
    series: [{ name: 'one', transform: null, footprint: null, tile: null }],
  });
  const times = [
    -9e12,
    -(2 ** 32) - 1,
    -(2 ** 32),
    -(2 ** 31),
    -1,
    0,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 41 + 3,
    9e12,
  ];
  const frames = times.map((time) => ({
    time,
    sources: [{ path: 'x', size: 1, mtimeMs: 1, index: 0, bands: [{ from: 0, to: 0 }] }],
  }));
  await createDataset(dir, description, new Map([['one', frames]]), { shardFrames: 3 });
  const decode = async ({ time }: { time: number }) => ({
    values: Uint8Array.of(times.indexOf(time)),
    valid: Uint8Array.of(1),
    sources: [String(time)],
  });
  for (const slot of await openSlots(dir))
    await writeSlot(dir, description, slot, { attempt: 1, onBadFrame: 'stop', decode });
  await finalise(dir);
  const store = await openDataset(dir);
  expect([...store.index.time]).toEqual(times);
  expect([...store.index.ok]).toEqual(times.map(() => 1));
  await store.close();
});
