import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createDataset,
  finalise,
  openDataset,
  openSlots,
  verifyDataset,
  writeSlot,
} from '../../pipeline/shards/index.js';
import { STORED } from '../../schemas/arrow/index.js';
import { DatasetDescription, Dtype, type PlannedFrame } from '../../schemas/records/index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stormreel-sizes-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Arrow pads buffers to 8 bytes: sizes that are no multiple of it must be read back as they were. */
const cases = Dtype.options.flatMap((dtype) => [1, 2, 3, 5, 7, 9].map((cells) => ({ dtype, cells })));

describe('frames of any size', () => {
  it.each(cases)(
    'come back from shards of one, two and three frames: $cells cells of $dtype',
    async (one) => {
      const { dtype, cells } = one;
      const dir = join(folder, `${dtype}-${cells}`);
      const grid = { width: cells, height: 1, transform: null, crs: 'none' };
      const description = DatasetDescription.parse({
        ...{ formatVersion: 1, encoderVersion: 1, grid, sourceGrid: grid, dtype, resampling: 'nearest' },
        bands: [{ name: 'a', unit: null, scale: 1, offset: 0 }],
        ...{ stepMs: 1000, time: 'utc' },
        series: ['one', 'two', 'three'].map((name) => ({
          name,
          transform: null,
          footprint: null,
          tile: null,
        })),
      });
      const frames = (n: number): PlannedFrame[] =>
        Array.from({ length: n }, (_, i) => ({
          time: i * 1000,
          sources: [{ path: 'x', size: 1, mtimeMs: 1, index: 0, bands: [{ from: 0, to: 0 }] }],
        }));
      const all = description.series.map(({ name }, i) => [name, frames(i + 1)] as const);
      await createDataset(dir, description, new Map(all));
      const row = (time: number) =>
        Array.from({ length: cells }, (_, cell) => (cell ? (time / 1000) * 20 + cell + 1 : 0));
      for (const slot of await openSlots(dir))
        await writeSlot(dir, description, slot, {
          ...{ onBadFrame: 'stop', attempt: 1 },
          decode: async ({ time }) => ({
            values: new STORED[dtype].array(row(time)),
            valid: Uint8Array.from({ length: cells }, (_, cell) => (cell || cells % 2 ? 1 : 0)),
            sources: [],
          }),
        });
      await finalise(dir);
      expect((await verifyDataset(dir)).faults).toEqual([]);
      const store = await openDataset(dir);
      const { length } = store.index;
      const out = { values: new Float32Array(length * cells), valid: new Uint8Array(length * cells) };
      await store.read([...Array(length).keys()], out);
      await store.close();
      expect([...out.values]).toEqual([...store.index.time].flatMap(row));
      expect(out.valid[0]).toBe(cells % 2);
    },
  );
});
