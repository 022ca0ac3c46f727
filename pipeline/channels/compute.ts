/**
 * Input channels from frames, in this order: each band as configured, each band's Laplacian, each band's gradient
 * magnitude, row and column. Season is no map: it goes to the head by `seasonFeatures`.
 */
import { ModelMismatchError } from '../errors.js';
import { type Derivative, type FrameShape, gradient, laplacian } from './derivatives.js';
import { seasonalBasis } from './season.js';
import { type ChannelStatistics, decodeFloats, seasonalTerms } from './statistics.js';

/** Frames as a store reads them, and their times. */
export interface FrameBatch {
  /** `[count, height, width, band]`, physical units. */
  values: Float32Array;
  /** `[count, height, width]`. */
  valid: Uint8Array;
  /** Milliseconds since 1970, UTC. */
  time: ArrayLike<number>;
  count: number;
}

/** Number of channels `computeChannels` writes. */
export function channelCount(stats: ChannelStatistics): number {
  const { laplacian, gradient, coordinates } = stats.config;
  return stats.bands.length * (1 + Number(laplacian) + Number(gradient)) + (coordinates ? 2 : 0);
}

/** Their names, in order: `msl anomaly`, `msl laplacian`, `msl gradient`, `row`, `column`. */
export function channelNames({ bands, config }: ChannelStatistics): string[] {
  return [
    ...bands.map((name) => (config.anomaly === 'none' ? name : `${name} ${config.anomaly} anomaly`)),
    ...(config.laplacian ? bands.map((name) => `${name} laplacian`) : []),
    ...(config.gradient ? bands.map((name) => `${name} gradient`) : []),
    ...(config.coordinates ? ['row', 'column'] : []),
  ];
}

/**
 * Writes `[count, height, width, channel]` into `out`; invalid cells are 0 in every channel.
 * ModelMismatchError: arrays that do not hold `count` frames of the fitted grid and bands.
 */
export function computeChannels(stats: ChannelStatistics, batch: FrameBatch, out: Float32Array): void {
  const plan = prepare(stats);
  const { cells, bands, channels } = plan;
  refuseMisfit(plan, batch, out);
  for (let k = 0; k < batch.count; k++) {
    const frame = {
      values: batch.values.subarray(k * cells * bands, (k + 1) * cells * bands),
      valid: batch.valid.subarray(k * cells, (k + 1) * cells),
      out: out.subarray(k * cells * channels, (k + 1) * cells * channels),
    };
    writeBands(plan, frame, batch.time[k]);
    let channel = bands;
    if (stats.laplacianSd) channel = writeDerivatives(plan, frame, laplacian, stats.laplacianSd, channel);
    if (stats.gradientSd) channel = writeDerivatives(plan, frame, gradient, stats.gradientSd, channel);
    if (stats.config.coordinates) writeCoordinates(plan, frame, channel);
  }
}

interface Plan extends FrameShape {
  stats: ChannelStatistics;
  cells: number;
  channels: number;
  /** Decoded seasonal tables. */
  coefficients: Float32Array;
  inverseSd: Float32Array;
  basis: Float64Array;
  scratch: Float32Array;
}

interface OneFrame {
  values: Float32Array;
  valid: Uint8Array;
  out: Float32Array;
}

const plans = new WeakMap<ChannelStatistics, Plan>();

/** Decodes the statistics once. */
function prepare(stats: ChannelStatistics): Plan {
  const known = plans.get(stats);
  if (known) return known;
  const { height, width, seasonal } = stats;
  const plan = {
    stats,
    height,
    width,
    bands: stats.bands.length,
    cells: height * width,
    channels: channelCount(stats),
    coefficients: decodeFloats(seasonal?.coefficients ?? ''),
    inverseSd: decodeFloats(seasonal?.inverseSd ?? ''),
    basis: new Float64Array(seasonalTerms(seasonal?.harmonics ?? 0)),
    scratch: new Float32Array(height * width),
  };
  plans.set(stats, plan);
  return plan;
}

function refuseMisfit({ cells, bands, channels }: Plan, batch: FrameBatch, out: Float32Array): void {
  const { values, valid, time, count } = batch;
  const fits =
    values.length >= count * cells * bands &&
    valid.length >= count * cells &&
    time.length >= count &&
    out.length >= count * cells * channels;
  if (fits) return;
  throw new ModelMismatchError(
    `${count} frames of ${cells} cells and ${bands} bands do not fit: values ${values.length}, valid ${valid.length}, times ${time.length}, out ${out.length}`,
    {
      hint: 'the frames must have the grid and bands that the channels were fitted on',
      fields: { count, cells, bands, channels, values: values.length, out: out.length },
    },
  );
}

function writeBands(plan: Plan, frame: OneFrame, time: number): void {
  if (plan.stats.seasonal) writeSeasonal(plan, frame, time);
  else for (let band = 0; band < plan.bands; band++) writeStandardised(plan, frame, band);
}

function writeStandardised(
  { stats, bands, channels }: Plan,
  { values, valid, out }: OneFrame,
  band: number,
): void {
  const isFrame = stats.config.anomaly === 'frame';
  const centre = isFrame ? frameMean(values, valid, bands, band) : stats.mean[band];
  const scale = inverse(stats.sd[band]);
  for (let cell = 0; cell < valid.length; cell++)
    out[cell * channels + band] = valid[cell] ? (values[cell * bands + band] - centre) * scale : 0;
}

/** Value minus the cell's climatology at this time of the year, over the sd of what that leaves. */
function writeSeasonal(plan: Plan, { values, valid, out }: OneFrame, time: number): void {
  const { bands, channels, basis, coefficients, inverseSd } = plan;
  const terms = basis.length;
  seasonalBasis(time, basis);
  for (let cell = 0, at = 0; cell < valid.length; cell++)
    for (let band = 0; band < bands; band++, at++) {
      let expected = 0;
      for (let term = 0; term < terms; term++) expected += coefficients[at * terms + term] * basis[term];
      out[cell * channels + band] = valid[cell] ? (values[at] - expected) * inverseSd[at] : 0;
    }
}

function writeDerivatives(
  plan: Plan,
  { values, valid, out }: OneFrame,
  derive: Derivative,
  sd: readonly number[],
  from: number,
): number {
  const { bands, channels, scratch } = plan;
  for (let band = 0; band < bands; band++) {
    derive(values, valid, plan, band, scratch);
    const scale = inverse(sd[band]);
    for (let cell = 0; cell < scratch.length; cell++)
      out[cell * channels + from + band] = Number.isNaN(scratch[cell]) ? 0 : scratch[cell] * scale;
  }
  return from + bands;
}

/** Row and column of the cell in [-1, 1], first and last cell at the ends. */
function writeCoordinates({ height, width, channels }: Plan, { valid, out }: OneFrame, from: number): void {
  for (let row = 0, cell = 0; row < height; row++)
    for (let column = 0; column < width; column++, cell++) {
      out[cell * channels + from] = valid[cell] && height > 1 ? (2 * row) / (height - 1) - 1 : 0;
      out[cell * channels + from + 1] = valid[cell] && width > 1 ? (2 * column) / (width - 1) - 1 : 0;
    }
}

function frameMean(values: Float32Array, valid: Uint8Array, bands: number, band: number): number {
  let [sum, count] = [0, 0];
  for (let cell = 0; cell < valid.length; cell++) {
    if (!valid[cell]) continue;
    sum += values[cell * bands + band];
    count++;
  }
  return count === 0 ? 0 : sum / count;
}

/** A constant band says nothing: its channel is 0. */
const inverse = (sd: number): number => (sd > 0 ? 1 / sd : 0);
