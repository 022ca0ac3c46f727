/**
 * Cells that never change though the field around them does: a colour bar, a caption or coast lines drawn into pictures.
 * A network learns from such marks what no field says, so they are told.
 *
 *   const share = await stillShare(store, trainFrames);
 */
import type { FrameStore } from '../shards/index.js';

/** Frames looked at, spread evenly. */
const LOOKS = 24;
/** With fewer good frames nothing is said. */
const LEAST = 8;
/** 8-bit pictures are often compressed with loss: levels that a mark may wander. */
const LEVELS = 3;
const TOLD_FROM = 0.005;

/** Share of the observed cells that hold still in every band, 0 to 1; null where too few frames can be looked at. */
export async function stillShare(store: FrameStore, frames: readonly number[]): Promise<number | null> {
  const { grid, bands, dtype } = store.description;
  const [cells, count] = [grid.width * grid.height, bands.length];
  const good = frames.filter((frame) => store.index.ok[frame] === 1);
  if (good.length < LEAST) return null;
  const looks = Math.min(LOOKS, good.length);
  const values = new Float32Array(cells * count);
  const valid = new Uint8Array(cells);
  const [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((start) =>
    new Float32Array(cells * count).fill(start),
  );
  const seen = new Uint16Array(cells);
  for (let i = 0; i < looks; i++) {
    await store.read([good[Math.floor((i * good.length) / looks)]], { values, valid });
    for (let cell = 0; cell < cells; cell++) {
      if (valid[cell] === 0) continue;
      seen[cell]++;
      for (let k = cell * count; k < (cell + 1) * count; k++) {
        low[k] = Math.min(low[k], values[k]);
        high[k] = Math.max(high[k], values[k]);
      }
    }
  }
  let [still, observed] = [0, 0];
  for (let cell = 0; cell < cells; cell++) {
    if (seen[cell] < LEAST) continue;
    observed++;
    const holds = bands.every(({ scale }, b) => {
      const room = dtype === 'u8' ? LEVELS * Math.abs(scale) * 1.001 : 0;
      return high[cell * count + b] - low[cell * count + b] <= room;
    });
    if (holds) still++;
  }
  return observed ? still / observed : null;
}

/** A line for the log; null where there is nothing to tell. */
export function stillNote(share: number | null): string | null {
  if (share === null || share < TOLD_FROM) return null;
  return `${(100 * share).toFixed(1)} % of all cells never change in the training frames: a colour bar, a caption or coast lines in pictures? Cut them off, mask them, or use the fields themselves`;
}
