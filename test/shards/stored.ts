/** A small dataset on disk, for tests of reading: one series, value of frame f at cell c is `(f * 7 + c) mod 251`. */
import { BadRasterError } from '../../pipeline/errors.js';
import { createDataset, finalise, openSlots, writeSlot } from '../../pipeline/shards/index.js';
import { STORED } from '../../schemas/arrow/index.js';
import { DatasetDescription, type Dtype } from '../../schemas/records/index.js';

export const HOUR = 3_600_000;

export interface Stored {
  frames: number;
  width?: number;
  height?: number;
  bands?: number;
  shardFrames?: number;
  /** Frames that cannot be decoded. */
  bad?: readonly number[];
  dtype?: Dtype;
  scale?: number;
  offset?: number;
  compression?: 'lz4';
  /** Cells that were not observed. */
  hole?: (frame: number, cell: number) => boolean;
}

export const valueAt = (frame: number, cell: number): number => (frame * 7 + cell) % 251;

export async function storeFrames(
  dir: string,
  { frames, width = 6, height = 5, bands = 1, shardFrames = 40, bad = [], ...kind }: Stored,
): Promise<void> {
  const { dtype = 'u8', scale = 1, offset = 0, compression, hole = () => false } = kind;
  const grid = { width, height, transform: null, crs: 'none' };
  const description = DatasetDescription.parse({
    formatVersion: 1,
    encoderVersion: 1,
    grid,
    sourceGrid: grid,
    bands: Array.from({ length: bands }, (_, b) => ({ name: `b${b}`, unit: null, scale, offset })),
    dtype,
    ...(compression && { compression }),
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
  const valid = (frame: number) =>
    Uint8Array.from({ length: width * height }, (_, cell) => (hole(frame, cell) ? 0 : 1));
  for (const slot of await openSlots(dir))
    await writeSlot(dir, description, slot, {
      attempt: 1,
      onBadFrame: 'skip',
      async decode({ time }) {
        const frame = time / HOUR;
        if (bad.includes(frame)) throw new BadRasterError('it ends early', { hint: 'get it again' });
        const values = new STORED[dtype].array(width * height * bands).map((_, c) => valueAt(frame, c));
        return { values, valid: valid(frame), sources: [String(frame)] };
      },
    });
  await finalise(dir);
}
