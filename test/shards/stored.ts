/** A small dataset on disk, for tests of reading: one series, value of frame f at cell c is `(f * 7 + c) mod 251`. */
import { BadRasterError } from '../../pipeline/errors.js';
import { createDataset, finalise, openSlots, writeSlot } from '../../pipeline/shards/index.js';
import { DatasetDescription } from '../../schemas/records/index.js';

export const HOUR = 3_600_000;

export interface Stored {
  frames: number;
  width?: number;
  height?: number;
  bands?: number;
  shardFrames?: number;
  /** Frames that cannot be decoded. */
  bad?: readonly number[];
}

export const valueAt = (frame: number, cell: number): number => (frame * 7 + cell) % 251;

export async function storeFrames(
  dir: string,
  { frames, width = 6, height = 5, bands = 1, shardFrames = 40, bad = [] }: Stored,
): Promise<void> {
  const grid = { width, height, transform: null, crs: 'none' };
  const description = DatasetDescription.parse({
    formatVersion: 1,
    encoderVersion: 1,
    grid,
    sourceGrid: grid,
    bands: Array.from({ length: bands }, (_, b) => ({ name: `b${b}`, unit: null, scale: 1, offset: 0 })),
    dtype: 'u8',
    resampling: 'nearest',
    stepMs: HOUR,
    time: 'utc',
    series: [{ name: 'a', transform: null, footprint: null, tile: null }],
  });
  const planned = Array.from({ length: frames }, (_, f) => ({
    time: f * HOUR,
    sources: [{ path: `${f}.tif`, size: 1, mtimeMs: 5, index: 0, bands: [{ from: 0, to: 0 }] }],
  }));
  await createDataset(dir, description, new Map([['a', planned]]), { shardFrames });
  const valid = new Uint8Array(width * height).fill(1);
  for (const slot of await openSlots(dir))
    await writeSlot(dir, description, slot, {
      attempt: 1,
      onBadFrame: 'skip',
      async decode({ time }) {
        const frame = time / HOUR;
        if (bad.includes(frame)) throw new BadRasterError('it ends early', { hint: 'get it again' });
        const values = Uint8Array.from({ length: width * height * bands }, (_, c) => valueAt(frame, c));
        return { values, valid, sources: [String(frame)] };
      },
    });
  await finalise(dir);
}
