/**
 * Scores that need no network: the mean of each band, extremes of it, of its anomaly, of its Laplacian; logistic regression on
 * principal components. One pass over the frames for the extremes, one over the training frames for the components.
 */
import type { ChannelsConfig } from '../../../schemas/config/index.js';
import { type ChannelStatistics, channelCount, computeChannels, fitChannels } from '../../channels/index.js';
import type { LabelTable } from '../../labels/index.js';
import type { OnProgress } from '../../progress.js';
import type { FrameStore } from '../../shards/index.js';
import { auroc } from '../metrics/ranking.js';
import { type Components, moments, project } from './components.js';
import { fitRidge, logisticScores } from './logistic.js';
import { pooling } from './pool.js';
import { noSeason, seasonClimatology, seasonRows } from './season.js';

export interface SimpleScore {
  name: string;
  /** Per frame of the index, larger is stormier, NaN where it was not computed; null when skipped. */
  score: Float64Array | null;
  skipped?: string;
}

export interface SimpleInput {
  store: FrameStore;
  labels: LabelTable;
  /** Judged training frames: directions, statistics and fits come from these alone. */
  train: Uint32Array;
  /** Judged frames to score. */
  test: Uint32Array;
  /** 1 for cells where the label was counted, `[height * width]`; extremes look there only. */
  cells: Uint8Array;
  /** Anomaly from the frame's mean or from the cell's season; default by the data. */
  anomaly?: 'frame' | 'seasonal';
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

const COMPONENTS = 20;
const CHUNK_BYTES = 16 * 2 ** 20;
/** Bands shown of each kind, those that do best on the training part. */
const MOST_BANDS = 3;
/** Training frames behind the components. */
const MOST_FRAMES = 6000;

/** From the weakest idea to the strongest. */
export async function simpleScores(input: SimpleInput): Promise<SimpleScore[]> {
  const { store, labels, train } = input;
  const statistics = await channelsFor(input);
  const extremes = await findExtremes(input, statistics);
  const season = noSeason(store.description, store.index, train);
  const climatology: SimpleScore = {
    name: 'climatology of the season',
    score: season === null ? seasonClimatology(store.index, labels.label, train) : null,
    ...(season === null ? {} : { skipped: season }),
  };
  return [
    climatology,
    ...ranked(input, extremes.mean),
    ...ranked(input, extremes.band),
    ...ranked(input, extremes.anomaly),
    ...ranked(input, extremes.laplacian),
    await componentRegression(input, statistics, season === null),
  ];
}

async function channelsFor({ store, train, anomaly, onProgress }: SimpleInput): Promise<ChannelStatistics> {
  const { description, index } = store;
  const isFixed = description.grid.transform !== null || description.series.length === 1;
  const seasonal = isFixed && noSeason(description, index, train) === null;
  const config: ChannelsConfig = {
    anomaly: anomaly ?? (seasonal ? 'seasonal' : 'frame'),
    harmonics: 2,
    laplacian: true,
    gradient: false,
    coordinates: false,
    season: false,
  };
  return fitChannels(store, train, config, { onProgress });
}

/** A quantity of which both extremes are known for every frame; of a mean they are the same. */
interface Extreme {
  /** Name by direction: small values are stormy, or large ones. */
  name: { down: string; up: string };
  least: Float64Array;
  most: Float64Array;
}

async function findExtremes(input: SimpleInput, statistics: ChannelStatistics) {
  const { store, train, test, cells } = input;
  const { bands } = store.description;
  const channels = channelCount(statistics);
  const blank = () => new Float64Array(store.index.length).fill(Number.NaN);
  const make = (of: string): Extreme[] =>
    bands.map(({ name }) => ({
      name: { down: `minimum of ${name}${of}`, up: `maximum of ${name}${of}` },
      least: blank(),
      most: blank(),
    }));
  const found = {
    mean: bands.map(({ name }): Extreme => {
      const mean = blank();
      return { name: { down: `low mean of ${name}`, up: `high mean of ${name}` }, least: mean, most: mean };
    }),
    band: make(''),
    anomaly: make(` ${statistics.config.anomaly} anomaly`),
    laplacian: make(' Laplacian'),
  };
  const both = Uint32Array.from(new Set([...train, ...test])).sort();
  await eachFrame(input, statistics, both, 'ladder', (frame, values, valid, derived) => {
    for (let b = 0; b < bands.length; b++) {
      found.mean[b].least[frame] = mean(values, bands.length, b, valid, cells);
      extreme(found.band[b], frame, values, bands.length, b, valid, cells);
      extreme(found.anomaly[b], frame, derived, channels, b, valid, cells);
      extreme(found.laplacian[b], frame, derived, channels, bands.length + b, valid, cells);
    }
  });
  return found;
}

function extreme(
  { least, most }: Extreme,
  frame: number,
  values: Float32Array,
  stride: number,
  at: number,
  valid: Uint8Array,
  cells: Uint8Array,
): void {
  let [low, high] = [Infinity, -Infinity];
  for (let cell = 0; cell < cells.length; cell++) {
    if (!cells[cell] || !valid[cell]) continue;
    const value = values[cell * stride + at];
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return;
  least[frame] = low;
  most[frame] = high;
}

/** NaN without a valid cell. */
function mean(
  values: Float32Array,
  stride: number,
  at: number,
  valid: Uint8Array,
  cells: Uint8Array,
): number {
  let [sum, count] = [0, 0];
  for (let cell = 0; cell < cells.length; cell++) {
    if (!cells[cell] || !valid[cell]) continue;
    sum += values[cell * stride + at];
    count++;
  }
  return sum / count;
}

/** Direction by the training part; the best bands there, the best last. */
function ranked({ labels, train }: SimpleInput, extremes: Extreme[]): SimpleScore[] {
  const skill = (score: Float64Array) => {
    const frames = train.filter((frame) => !Number.isNaN(score[frame]));
    return (
      auroc(
        Float64Array.from(frames, (f) => score[f]),
        Uint8Array.from(frames, (f) => labels.label[f]),
      ) ?? 0.5
    );
  };
  return extremes
    .map(({ name, least, most }) => {
      const down = least.map((value) => -value);
      const [low, high] = [skill(down), skill(most)];
      return low >= high
        ? { name: name.down, score: down, skill: low }
        : { name: name.up, score: most, skill: high };
    })
    .sort((a, b) => a.skill - b.skill)
    .slice(-MOST_BANDS)
    .map(({ name, score }) => ({ name, score }));
}

async function componentRegression(
  input: SimpleInput,
  statistics: ChannelStatistics,
  hasSeason: boolean,
): Promise<SimpleScore> {
  const { store, labels, train, test } = input;
  const { grid, bands } = store.description;
  const pool = pooling({
    height: grid.height,
    width: grid.width,
    bands: bands.length,
    channels: channelCount(statistics),
  });
  const step = Math.max(1, Math.ceil(train.length / MOST_FRAMES));
  const fitted = train.filter((_, i) => i % step === 0);
  const sums = moments(pool.width);
  const row = new Float64Array(pool.width);
  await eachFrame(input, statistics, fitted, 'components', (_frame, _values, _valid, derived) => {
    pool.apply(derived, row);
    sums.add(row);
  });
  const components = sums.components(COMPONENTS);
  const columns = components.count + (hasSeason ? 4 : 0);
  const rows = await projected(input, statistics, components, pool, columns, [...fitted, ...test]);
  const trainRows = Float64Array.from(rows.subarray(0, fitted.length * columns));
  const model = fitRidge(
    trainRows,
    Float64Array.from(fitted, (f) => labels.label[f]),
    columns,
  );
  const scores = logisticScores(model, rows, columns);
  const score = new Float64Array(store.index.length).fill(Number.NaN);
  [...fitted, ...test].forEach((frame, i) => {
    score[frame] = scores[i];
  });
  const name = `logistic regression on ${components.count} principal components${hasSeason ? ' and season' : ''}`;
  return { name, score };
}

/** `[frame, columns]` in the order of `frames`. */
async function projected(
  input: SimpleInput,
  statistics: ChannelStatistics,
  components: Components,
  pool: ReturnType<typeof pooling>,
  columns: number,
  frames: number[],
): Promise<Float64Array> {
  const rows = new Float64Array(frames.length * columns);
  const row = new Float64Array(pool.width);
  const places = new Map<number, number>(frames.map((frame, i) => [frame, i]));
  const season = seasonRows(input.store.index, frames);
  const order = Uint32Array.from(frames).sort();
  await eachFrame(input, statistics, order, 'components', (frame, _values, _valid, derived) => {
    const at = places.get(frame)!;
    pool.apply(derived, row);
    project(components, row, rows.subarray(at * columns, at * columns + components.count));
    if (columns > components.count)
      rows.set(season.subarray(at * 4, at * 4 + 4), at * columns + components.count);
  });
  return rows;
}

type Visit = (frame: number, values: Float32Array, valid: Uint8Array, derived: Float32Array) => void;

/** Reads `frames` (ascending) in chunks with their derived channels. */
async function eachFrame(
  { store, onProgress, signal }: SimpleInput,
  statistics: ChannelStatistics,
  frames: Uint32Array,
  stage: string,
  visit: Visit,
): Promise<void> {
  const { grid, bands } = store.description;
  const cells = grid.width * grid.height;
  const [size, derivedSize] = [cells * bands.length, cells * channelCount(statistics)];
  const count = Math.max(1, Math.min(frames.length, Math.floor(CHUNK_BYTES / (4 * (size + derivedSize)))));
  const buffers = { values: new Float32Array(count * size), valid: new Uint8Array(count * cells) };
  const derived = new Float32Array(count * derivedSize);
  for (let from = 0; from < frames.length; from += count) {
    signal?.throwIfAborted();
    const chunk = frames.subarray(from, from + count);
    await store.read(chunk, buffers);
    const time = Float64Array.from(chunk, (frame) => store.index.time[frame]);
    computeChannels(statistics, { ...buffers, time, count: chunk.length }, derived);
    chunk.forEach((frame, k) => {
      visit(
        frame,
        buffers.values.subarray(k * size, (k + 1) * size),
        buffers.valid.subarray(k * cells, (k + 1) * cells),
        derived.subarray(k * derivedSize, (k + 1) * derivedSize),
      );
    });
    onProgress?.({ stage, done: from + chunk.length, total: frames.length, unit: 'frames' });
  }
}
