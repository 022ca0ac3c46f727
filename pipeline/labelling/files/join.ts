/** Predictions as if they were a dataset, so that labels join them by the same rules. */
import type { DatasetDescription } from '../../../schemas/records/index.js';
import { TimeError } from '../../errors.js';
import { formatInstant } from '../../labels/index.js';
import type { FrameIndex } from '../../shards/index.js';
import type { ReadPrediction } from './predictions.js';

/** Frames in (series, time) order and the predictions in that order. TimeError: two predictions for one series and time. */
export function framesOf(predictions: readonly ReadPrediction[]): {
  description: DatasetDescription;
  index: FrameIndex;
  rows: ReadPrediction[];
} {
  const rows = [...predictions].sort((a, b) => compare(a.series, b.series) || a.time - b.time);
  const seriesNames = [...new Set(rows.map(({ series }) => series))];
  const numbers = new Map(seriesNames.map((name, i) => [name, i]));
  refuseTwice(rows);
  const index: FrameIndex = {
    length: rows.length,
    seriesNames,
    series: Uint32Array.from(rows, ({ series }) => numbers.get(series)!),
    time: Float64Array.from(rows, ({ time }) => time),
    ok: Uint8Array.from(rows, ({ logit, probability }) => (logit === null && probability === null ? 0 : 1)),
  };
  return { description: describe(seriesNames, medianStep(rows)), index, rows };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function refuseTwice(rows: readonly ReadPrediction[]): void {
  for (let i = 1; i < rows.length; i++) {
    const { series, time } = rows[i];
    if (series !== rows[i - 1].series || time !== rows[i - 1].time) continue;
    throw new TimeError(
      `two predictions for ${formatInstant(time)}${series ? ` of series "${series}"` : ''}`,
      { hint: 'add a series column, or keep one row for each time', fields: { series, time } },
    );
  }
}

function medianStep(rows: readonly ReadPrediction[]): number | null {
  const steps = rows
    .slice(1)
    .flatMap((row, i) => (row.series === rows[i].series ? [row.time - rows[i].time] : []));
  return steps.length ? steps.sort((a, b) => a - b)[steps.length >> 1] : null;
}

function describe(seriesNames: string[], stepMs: number | null): DatasetDescription {
  const grid = { width: 1, height: 1, transform: null, crs: 'none' };
  return {
    formatVersion: 1,
    encoderVersion: 1,
    grid,
    sourceGrid: grid,
    bands: [{ name: 'probability', unit: null, scale: 1, offset: 0 }],
    dtype: 'f32',
    resampling: 'nearest',
    stepMs,
    time: 'utc',
    series: seriesNames.map((name) => ({ name, transform: null, footprint: null, tile: null })),
  };
}
