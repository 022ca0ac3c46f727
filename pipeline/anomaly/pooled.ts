/** The channels of a frame averaged over blocks of cells, so that a covariance of them stays small at any map size. */
import { type ChannelStatistics, channelCount, computeChannels } from '../channels/index.js';
import type { OnProgress } from '../progress.js';
import type { FrameBuffers, FrameStore } from '../shards/index.js';

/** Most numbers of a frame that enter the covariance. */
const MOST_WIDTH = 768;
/** Decoded frames and channels held at once. */
const CHUNK_BYTES = 16 * 2 ** 20;

/** Edge of the blocks of cells: the least at which a frame has few enough numbers. */
export function poolSize({ description: { grid } }: FrameStore, channels: ChannelStatistics): number {
  const depth = channelCount(channels);
  let pool = 1;
  while (
    pool < Math.max(grid.height, grid.width) &&
    Math.ceil(grid.height / pool) * Math.ceil(grid.width / pool) * depth > MOST_WIDTH
  )
    pool++;
  return pool;
}

/** Numbers of a frame: rows and columns of blocks times channels. */
export const pooledWidth = (
  { description: { grid } }: FrameStore,
  channels: ChannelStatistics,
  pool: number,
) => Math.ceil(grid.height / pool) * Math.ceil(grid.width / pool) * channelCount(channels);

/** Visits the averaged channels of frames in ascending order; `row` is used again. */
export async function eachPooled(
  store: FrameStore,
  channels: ChannelStatistics,
  pool: number,
  frames: Uint32Array,
  { onProgress, signal }: { onProgress?: OnProgress; signal?: AbortSignal },
  visit: (row: Float64Array, frame: number) => void,
): Promise<void> {
  const { height, width } = store.description.grid;
  const [cells, depth, bands] = [height * width, channelCount(channels), store.description.bands.length];
  const chunk = Math.max(1, Math.floor(CHUNK_BYTES / (4 * cells * Math.max(depth, bands))));
  const buffers: FrameBuffers = {
    values: new Float32Array(chunk * cells * bands),
    valid: new Uint8Array(chunk * cells),
  };
  const planes = new Float32Array(chunk * cells * depth);
  const row = new Float64Array(pooledWidth(store, channels, pool));
  for (let from = 0; from < frames.length; from += chunk) {
    signal?.throwIfAborted();
    const some = frames.subarray(from, from + chunk);
    await store.read(some, buffers);
    const time = Float64Array.from(some, (frame) => store.index.time[frame]);
    const count = some.length;
    const values = buffers.values.subarray(0, count * cells * bands);
    computeChannels(
      channels,
      { values, valid: buffers.valid.subarray(0, count * cells), time, count },
      planes,
    );
    some.forEach((frame, i) => {
      average(
        planes.subarray(i * cells * depth, (i + 1) * cells * depth),
        { height, width, depth, pool },
        row,
      );
      visit(row, frame);
    });
    onProgress?.({ stage: 'features', done: from + count, total: frames.length, unit: 'frames' });
  }
}

/** Means over blocks of `pool` x `pool` cells; blocks at the far edges may be smaller. */
function average(
  plane: Float32Array,
  { height, width, depth, pool }: { height: number; width: number; depth: number; pool: number },
  row: Float64Array,
): void {
  const across = Math.ceil(width / pool);
  row.fill(0);
  for (let r = 0, at = 0; r < height; r++)
    for (let c = 0; c < width; c++) {
      const block = (Math.floor(r / pool) * across + Math.floor(c / pool)) * depth;
      for (let d = 0; d < depth; d++, at++) row[block + d] += plane[at];
    }
  for (let b = 0; b < row.length / depth; b++) {
    const tall = Math.min(pool, height - Math.floor(b / across) * pool);
    const wide = Math.min(pool, width - (b % across) * pool);
    for (let d = 0; d < depth; d++) row[b * depth + d] /= tall * wide;
  }
}
