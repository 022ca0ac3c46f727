/** How often there is a storm at each time of the year, by two harmonics fitted on training labels. */
import type { DatasetDescription } from '../../../schemas/records/index.js';
import { seasonFeatures } from '../../channels/index.js';
import type { FrameIndex } from '../../shards/index.js';
import { fitLogistic, logisticScores } from './logistic.js';

const YEAR_MS = 365.2425 * 86_400_000;
const COLUMNS = 4;

/** Why there is no season to speak of; null where there is one. */
export function noSeason(
  { time, stepMs }: DatasetDescription,
  index: FrameIndex,
  train: ArrayLike<number>,
): string | null {
  if (time === 'none') return 'the frames have no times';
  let [from, to] = [Infinity, -Infinity];
  for (let i = 0; i < train.length; i++) {
    from = Math.min(from, index.time[train[i]]);
    to = Math.max(to, index.time[train[i]]);
  }
  const isShort = to - from + (stepMs ?? 0) < YEAR_MS - 86_400_000;
  return isShort ? 'less than a year of training frames' : null;
}

/** `[frame, 4]`: sine and cosine of the year and the half year. */
export function seasonRows(index: FrameIndex, frames: ArrayLike<number>): Float64Array {
  const rows = new Float64Array(frames.length * COLUMNS);
  for (let i = 0; i < frames.length; i++) rows.set(seasonFeatures(index.time[frames[i]]), i * COLUMNS);
  return rows;
}

/** Log odds of a storm by season for every frame of the index. */
export function seasonClimatology(
  index: FrameIndex,
  label: ArrayLike<number>,
  train: ArrayLike<number>,
): Float64Array {
  const y = Float64Array.from(train, (frame) => label[frame]);
  const model = fitLogistic(seasonRows(index, train), y, COLUMNS);
  return logisticScores(model, seasonRows(index, [...index.time.keys()]), COLUMNS);
}
