/**
 * What the autoencoder sees of a frame: leading principal components of its standardised channels, averaged over blocks
 * of cells so that the covariance stays small at any map size. Fitted on the frames given and no others.
 */
import { type ChannelStatistics, channelCount, computeChannels } from '../channels/index.js';
import { moments } from '../labelling/index.js';
import type { OnProgress } from '../progress.js';
import type { FrameBuffers, FrameStore } from '../shards/index.js';
import type { AnomalyRecord, PrincipalComponents } from './record.js';

/** Most numbers of a frame that enter the covariance. */
const MOST_WIDTH = 768;
/** Most frames behind the components. */
const MOST_FRAMES = 6000;
const CHUNK_BYTES = 16 * 2 ** 20;
/** Components with less than this share of the first one's variance are noise of the arithmetic. */
const LEAST_VARIANCE = 1e-9;

export interface FrameFeatures {
  /** `[frame, feature]`, standardised on calm frames; zeros for bad frames. */
  values: Float32Array;
  /** Mean square of what the components leave over; NaN for bad frames. */
  residual: Float64Array;
  /** Root mean square difference of the averaged channels from their training mean; NaN for bad frames. */
  norm: Float64Array;
}

interface Options {
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

export async function fitFeatures(
  store: FrameStore,
  channels: ChannelStatistics,
  frames: Uint32Array,
  count: number,
  options: Options = {},
): Promise<{ features: AnomalyRecord['features']; components: PrincipalComponents }> {
  const pool = poolSize(store, channels);
  const every = Math.ceil(frames.length / MOST_FRAMES);
  const some = frames.filter((_, i) => i % every === 0);
  const sums = moments(pooledWidth(store, channels, pool));
  let total = 0;
  let rows = 0;
  await eachPooled(store, channels, pool, some, options, (row) => {
    const square = row.reduce((sum, value) => sum + value * value, 0);
    if (!Number.isFinite(square)) return; // an infinite value would spoil every component
    sums.add(row);
    total += square;
    rows++;
  });
  const found = sums.components(Math.min(count, Math.max(1, rows - 1)));
  const kept = Math.max(1, found.variance.filter((v) => v > LEAST_VARIANCE * found.variance[0]).length);
  const variance = total / rows - found.mean.reduce((sum, m) => sum + m * m, 0);
  const held = found.variance.slice(0, kept).reduce((sum, v) => sum + v, 0);
  return {
    features: { count: kept, pool, explained: variance > 0 ? Math.min(1, held / variance) : 0 },
    components: {
      count: kept,
      mean: Float32Array.from(found.mean),
      axes: Float32Array.from(found.axes.subarray(0, kept * sums.width)),
      sd: Float32Array.from(found.variance.subarray(0, kept), (v) => Math.sqrt(v) || 1),
    },
  };
}

/** Features of every frame of the store, in one pass. */
export async function frameFeatures(
  store: FrameStore,
  {
    channels,
    features,
    components,
  }: Pick<AnomalyRecord, 'channels' | 'features'> & { components: PrincipalComponents },
  options: Options = {},
): Promise<FrameFeatures> {
  const { length, ok } = store.index;
  const out: FrameFeatures = {
    values: new Float32Array(length * components.count),
    residual: new Float64Array(length).fill(Number.NaN),
    norm: new Float64Array(length).fill(Number.NaN),
  };
  const good = Uint32Array.from(Array.from(ok.keys()).filter((frame) => ok[frame] === 1));
  await eachPooled(store, channels, features.pool, good, options, (row, frame) => {
    const own = out.values.subarray(frame * components.count, (frame + 1) * components.count);
    const { norm, residual } = coordinates(components, row, own);
    out.norm[frame] = norm;
    out.residual[frame] = residual;
  });
  return out;
}

function coordinates({ count, mean, axes, sd }: PrincipalComponents, row: Float64Array, out: Float32Array) {
  const width = row.length;
  let [about, held] = [0, 0];
  for (let j = 0; j < width; j++) about += (row[j] - mean[j]) ** 2;
  if (!Number.isFinite(about)) return { norm: Number.NaN, residual: Number.NaN };
  for (let c = 0; c < count; c++) {
    let value = 0;
    for (let j = 0, at = c * width; j < width; j++, at++) value += axes[at] * (row[j] - mean[j]);
    held += value * value;
    out[c] = value / sd[c];
  }
  return { norm: Math.sqrt(about / width), residual: Math.max(0, about - held) / width };
}

function poolSize({ description: { grid } }: FrameStore, channels: ChannelStatistics): number {
  const depth = channelCount(channels);
  let pool = 1;
  while (
    pool < Math.max(grid.height, grid.width) &&
    Math.ceil(grid.height / pool) * Math.ceil(grid.width / pool) * depth > MOST_WIDTH
  )
    pool++;
  return pool;
}

const pooledWidth = ({ description: { grid } }: FrameStore, channels: ChannelStatistics, pool: number) =>
  Math.ceil(grid.height / pool) * Math.ceil(grid.width / pool) * channelCount(channels);

/** Visits the averaged channels of frames in ascending order; `row` is used again. */
async function eachPooled(
  store: FrameStore,
  channels: ChannelStatistics,
  pool: number,
  frames: Uint32Array,
  { onProgress, signal }: Options,
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
