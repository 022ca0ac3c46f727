/**
 * What the autoencoder sees of a frame: leading principal components of its channels, averaged over blocks of cells and
 * each divided by its own standard deviation. Fitted on the frames given and no others.
 */
import { type ChannelStatistics, channelCount } from '../channels/index.js';
import { moments } from '../labelling/index.js';
import type { OnProgress } from '../progress.js';
import type { FrameStore } from '../shards/index.js';
import { eachPooled, pooledWidth, poolSize } from './pooled.js';
import type { AnomalyRecord, PrincipalComponents } from './record.js';

/** Most frames behind the components. */
const MOST_FRAMES = 6000;
/** Components with less than this share of the first one's variance are noise of the arithmetic. */
const LEAST_VARIANCE = 1e-9;

export interface FrameFeatures {
  /** `[frame, feature]`, coordinates in units of their root mean variance; zeros for bad frames. */
  values: Float32Array;
  /** Mean square of what the components leave over; NaN for bad frames. */
  residual: Float64Array;
  /**
   * Root mean square of the standardised averages, of the Laplacians alone where the channels have them (small sharp
   * lows stand out there); NaN for bad frames.
   */
  norm: Float64Array;
}

interface Options {
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

/** Two passes over at most 6,000 of `frames`: mean and scale of every number, then their components. */
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
  const standard = await fitScale(store, channels, pool, some, options);
  const sums = moments(standard.mean.length);
  const scaled = new Float64Array(sums.width);
  let [rows, total] = [0, 0];
  await eachPooled(store, channels, pool, some, options, (row) => {
    const square = standardise(standard, row, scaled);
    if (!Number.isFinite(square)) return; // an infinite value would spoil every component
    sums.add(scaled);
    total += square;
    rows++;
  });
  const { variance, axes } = sums.components(Math.min(count, Math.max(1, rows - 1)));
  const kept = Math.max(1, variance.filter((v) => v > LEAST_VARIANCE * variance[0]).length);
  const held = variance.slice(0, kept).reduce((sum, v) => sum + v, 0);
  const explained = total > 0 ? Math.min(1, (held * (rows - 1)) / total) : 0;
  return {
    features: { count: kept, pool, explained, unit: Math.sqrt(held / kept) || 1 },
    components: {
      count: kept,
      ...standard,
      axes: Float32Array.from(axes.subarray(0, kept * sums.width)),
    },
  };
}

/** Features of every frame of the store, in one pass. */
export async function frameFeatures(
  store: FrameStore,
  model: Pick<AnomalyRecord, 'channels' | 'features'> & { components: PrincipalComponents },
  options: Options = {},
): Promise<FrameFeatures> {
  const { channels, features, components } = model;
  const { length, ok } = store.index;
  const out: FrameFeatures = {
    values: new Float32Array(length * components.count),
    residual: new Float64Array(length).fill(Number.NaN),
    norm: new Float64Array(length).fill(Number.NaN),
  };
  const good = Uint32Array.from(ok.keys()).filter((frame) => ok[frame] === 1);
  const scaled = new Float64Array(components.mean.length);
  const norm = normOf(channels);
  await eachPooled(store, channels, features.pool, good, options, (row, frame) => {
    const square = standardise(components, row, scaled);
    if (!Number.isFinite(square)) return;
    const own = out.values.subarray(frame * components.count, (frame + 1) * components.count);
    const held = coordinates(components, features.unit, scaled, own);
    out.norm[frame] = norm(scaled);
    out.residual[frame] = Math.max(0, square - held) / scaled.length;
  });
  return out;
}

type Standard = Pick<PrincipalComponents, 'mean' | 'scale'>;

async function fitScale(
  store: FrameStore,
  channels: ChannelStatistics,
  pool: number,
  frames: Uint32Array,
  options: Options,
): Promise<Standard> {
  const width = pooledWidth(store, channels, pool);
  const [mean, squares] = [new Float64Array(width), new Float64Array(width)];
  let rows = 0;
  await eachPooled(store, channels, pool, frames, options, (row) => {
    if (!row.every(Number.isFinite)) return;
    rows++;
    for (let j = 0; j < width; j++) {
      const apart = row[j] - mean[j];
      mean[j] += apart / rows;
      squares[j] += apart * (row[j] - mean[j]);
    }
  });
  const sd = squares.map((sum) => Math.sqrt(sum / Math.max(1, rows - 1)));
  const least = 1e-6 * sd.reduce((a, b) => Math.max(a, b), 0); // constant but for rounding: says nothing
  return { mean: Float32Array.from(mean), scale: Float32Array.from(sd, (s) => (s > least ? 1 / s : 0)) };
}

/** Writes standardised numbers into `out`; their sum of squares. */
function standardise({ mean, scale }: Standard, row: Float64Array, out: Float64Array): number {
  let square = 0;
  for (let j = 0; j < row.length; j++) {
    out[j] = (row[j] - mean[j]) * scale[j];
    square += out[j] * out[j];
  }
  return square;
}

/** Root mean square over the blocks of the channels that count in the norm. */
function normOf(channels: ChannelStatistics): (row: Float64Array) => number {
  const depth = channelCount(channels);
  const bands = channels.bands.length;
  const [from, to] = channels.config.laplacian ? [bands, 2 * bands] : [0, depth];
  return (row) => {
    let sum = 0;
    for (let block = 0; block < row.length; block += depth)
      for (let j = block + from; j < block + to; j++) sum += row[j] ** 2;
    return Math.sqrt((sum * depth) / (row.length * (to - from)));
  };
}

/** Writes coordinates divided by `unit` into `out`; the square that the components hold. */
function coordinates(
  { count, axes }: PrincipalComponents,
  unit: number,
  row: Float64Array,
  out: Float32Array,
): number {
  const width = row.length;
  let held = 0;
  for (let c = 0; c < count; c++) {
    let value = 0;
    for (let j = 0, at = c * width; j < width; j++, at++) value += axes[at] * row[j];
    held += value * value;
    out[c] = value / unit;
  }
  return held;
}
