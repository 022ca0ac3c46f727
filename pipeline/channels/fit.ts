/**
 * Fits the statistics of derived channels on the frames given, which are the training frames and no others. One pass
 * over the store in chunks; memory is a chunk plus sums for each cell.
 */
import { createHash } from 'node:crypto';
import type { ChannelsConfig } from '../../schemas/config/index.js';
import type { DatasetDescription } from '../../schemas/records/index.js';
import { ConfigError } from '../errors.js';
import type { OnProgress } from '../progress.js';
import type { FrameStore } from '../shards/index.js';
import { type Derivative, type FrameShape, gradient, laplacian } from './derivatives.js';
import { addBatch, type Moments, noMoments, sdOf } from './moments.js';
import { YEAR_MS } from './season.js';
import { type SeasonalSums, seasonalSums } from './seasonal.js';
import { type ChannelStatistics, encodeFloats, sealStatistics } from './statistics.js';

/** Bytes of decoded frames held at once. */
const CHUNK_BYTES = 16 * 2 ** 20;

/**
 * Statistics of `trainFrames` (indices into the store's frames, any order). Bad frames and invalid cells count in
 * nothing. ConfigError: no frame, or none of them with a valid cell.
 */
export async function fitChannels(
  store: FrameStore,
  trainFrames: ArrayLike<number>,
  config: ChannelsConfig,
  { onProgress }: { onProgress?: OnProgress } = {},
): Promise<ChannelStatistics> {
  const frames = Uint32Array.from(trainFrames)
    .filter((frame) => store.index.ok[frame] === 1)
    .sort();
  const span = refuseNothing(store, frames);
  const { harmonics, notes } = chooseHarmonics(store.description, config, span);
  const sums = collector(store.description, config, harmonics);
  await eachFrame(store, frames, sums.add, onProgress);
  const { grid, bands } = store.description;
  return sealStatistics({
    version: 1,
    config,
    width: grid.width,
    height: grid.height,
    bands: bands.map(({ name }) => name),
    ...sums.result(notes),
    fitted: { frames: frames.length, hash: hashFrames(store, frames), from: span.from, to: span.to },
    notes,
  });
}

interface Span {
  from: number;
  to: number;
}

function refuseNothing({ index }: FrameStore, frames: Uint32Array): Span {
  if (frames.length === 0)
    throw new ConfigError('there is no readable training frame to fit channel statistics on', {
      hint: 'check the split and `stormreel dataset info`',
      fields: { frames: 0 },
    });
  const times = Float64Array.from(frames, (frame) => index.time[frame]).sort();
  return { from: times[0], to: times[times.length - 1] };
}

/** Less than a year of frames holds no annual cycle: the mean alone. */
function chooseHarmonics(
  { stepMs, time, series }: DatasetDescription,
  { anomaly, harmonics }: ChannelsConfig,
  { from, to }: Span,
): { harmonics: number; notes: string[] } {
  if (anomaly !== 'seasonal') return { harmonics: 0, notes: [] };
  const notes: string[] = [];
  if (series.length > 1)
    notes.push(
      `the seasonal climatology of a cell is pooled over ${series.length} series, whatever their places`,
    );
  const isShort = time === 'none' || to - from + (stepMs ?? 0) < YEAR_MS - 86_400_000;
  if (isShort && harmonics > 0)
    notes.push(
      'less than a year of training frames: anomalies are from the mean of each cell, without annual harmonics',
    );
  return { harmonics: isShort ? 0 : harmonics, notes };
}

async function eachFrame(
  store: FrameStore,
  frames: Uint32Array,
  visit: (values: Float32Array, valid: Uint8Array, time: number) => void,
  onProgress: OnProgress | undefined,
): Promise<void> {
  const { width, height } = store.description.grid;
  const cells = width * height;
  const size = cells * store.description.bands.length;
  const chunk = Math.min(frames.length, Math.max(1, Math.floor(CHUNK_BYTES / (4 * size + cells))));
  const buffers = { values: new Float32Array(chunk * size), valid: new Uint8Array(chunk * cells) };
  for (let from = 0; from < frames.length; from += chunk) {
    const part = frames.subarray(from, from + chunk);
    await store.read(part, buffers);
    for (let k = 0; k < part.length; k++)
      visit(
        buffers.values.subarray(k * size, (k + 1) * size),
        buffers.valid.subarray(k * cells, (k + 1) * cells),
        store.index.time[part[k]],
      );
    const done = from + part.length;
    onProgress?.({ stage: 'channel statistics', done, total: frames.length, unit: 'frames' });
  }
}

type Fitted = Pick<ChannelStatistics, 'mean' | 'sd' | 'laplacianSd' | 'gradientSd' | 'seasonal'>;

function collector({ grid, bands }: DatasetDescription, config: ChannelsConfig, harmonics: number) {
  const shape = { height: grid.height, width: grid.width, bands: bands.length };
  const cells = shape.height * shape.width;
  const perBand = () => bands.map(noMoments);
  const [raw, centred, laplacians, gradients] = [perBand(), perBand(), perBand(), perBand()];
  const seasonal = config.anomaly === 'seasonal' ? seasonalSums(cells, bands.length, harmonics) : null;
  const scratch = new Float32Array(cells);

  function add(values: Float32Array, valid: Uint8Array, time: number): void {
    for (let band = 0; band < bands.length; band++) {
      const frame = bandMoments(values, valid, shape.bands, band);
      merge(raw[band], frame);
      merge(centred[band], { ...frame, mean: 0 });
      if (config.laplacian) addDerivative(laplacian, laplacians[band], values, valid, shape, band, scratch);
      if (config.gradient) addDerivative(gradient, gradients[band], values, valid, shape, band, scratch);
    }
    seasonal?.add(values, valid, time);
  }

  function result(notes: string[]): Fitted {
    if (raw.every(({ count }) => count === 0))
      throw new ConfigError('no training frame holds a valid cell', {
        hint: 'check nodata and scale of the bands with `stormreel dataset info`',
        fields: { frames: 0 },
      });
    const values = config.anomaly === 'frame' ? centred : raw;
    return {
      mean: raw.map(({ mean }) => mean),
      sd: values.map(sdOf),
      laplacianSd: config.laplacian ? laplacians.map(sdOf) : null,
      gradientSd: config.gradient ? gradients.map(sdOf) : null,
      seasonal: seasonal && seasonalResult(seasonal, harmonics, notes),
    };
  }
  return { add, result };
}

function seasonalResult(
  sums: SeasonalSums,
  harmonics: number,
  notes: string[],
): ChannelStatistics['seasonal'] {
  const { coefficients, inverseSd, meanOnly, blank } = sums.fit();
  if (meanOnly > 0)
    notes.push(`${meanOnly} cells were seen too seldom for annual harmonics; they have a mean alone`);
  if (blank > 0)
    notes.push(
      `${blank} values of a cell and band were constant or never seen in training; their channel is 0`,
    );
  return { harmonics, coefficients: encodeFloats(coefficients), inverseSd: encodeFloats(inverseSd) };
}

/** Moments of one band of one frame over its valid cells. */
function bandMoments(values: Float32Array, valid: Uint8Array, bands: number, band: number): Moments {
  const moments = noMoments();
  let [count, sum, squares] = [0, 0, 0];
  let shift = 0;
  for (let cell = 0, at = band; cell < valid.length; cell++, at += bands) {
    if (!valid[cell]) continue;
    if (count === 0) shift = values[at];
    const value = values[at] - shift;
    count++;
    sum += value;
    squares += value * value;
  }
  addBatch(moments, { count, sum, squares, shift });
  return moments;
}

function addDerivative(
  derive: Derivative,
  moments: Moments,
  values: Float32Array,
  valid: Uint8Array,
  shape: FrameShape,
  band: number,
  scratch: Float32Array,
): void {
  derive(values, valid, shape, band, scratch);
  let [count, sum, squares] = [0, 0, 0];
  for (let cell = 0; cell < scratch.length; cell++) {
    const value = scratch[cell];
    if (Number.isNaN(value)) continue;
    count++;
    sum += value;
    squares += value * value;
  }
  addBatch(moments, { count, sum, squares, shift: 0 });
}

/** Pools the moments of one more frame. */
function merge(into: Moments, { count, mean, squares }: Moments): void {
  if (count === 0) return;
  const total = into.count + count;
  const apart = mean - into.mean;
  into.squares += squares + (apart * apart * into.count * count) / total;
  into.mean += (apart * count) / total;
  into.count = total;
}

function hashFrames({ hash, index }: FrameStore, frames: Uint32Array): string {
  const digest = createHash('sha256').update(hash);
  for (const frame of frames)
    digest.update(` ${index.seriesNames[index.series[frame]]} ${index.time[frame]}`);
  return digest.digest('hex');
}
