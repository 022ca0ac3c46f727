/** Records that carry a series and a time, put beside the frames they belong to. */
import type { ScoreRow } from '../../schemas/records/index.js';
import type { ReadPrediction, StoredAttention } from '../labelling/index.js';
import type { FrameIndex } from '../shards/index.js';
import type { Attention, FramePredictions, FrameScores } from './data.js';

/** Finds a frame by series and time; -1 where the index has none. */
export function frameFinder(index: FrameIndex): (series: string, time: number) => number {
  const places = new Map(index.seriesNames.map((name) => [name, new Map<number, number>()]));
  for (let f = 0; f < index.length; f++)
    places.get(index.seriesNames[index.series[f]])!.set(index.time[f], f);
  return (series, time) => places.get(series)?.get(time) ?? -1;
}

const nothing = (index: FrameIndex) => new Float64Array(index.length).fill(Number.NaN);

export function alignPredictions(index: FrameIndex, rows: readonly ReadPrediction[]): FramePredictions {
  const find = frameFinder(index);
  const probability = nothing(index);
  const predicted = new Int8Array(index.length).fill(-1);
  const [event, context] = [new Int32Array(index.length), new Int32Array(index.length)];
  for (const row of rows) {
    const f = find(row.series, row.time);
    if (f < 0) continue;
    probability[f] = row.probability ?? Number.NaN;
    predicted[f] = row.predicted ?? -1;
    event[f] = row.event_id ?? 0;
    context[f] = row.context ?? 0;
  }
  return { probability, predicted, event, context };
}

export function alignScores(index: FrameIndex, rows: readonly ScoreRow[]): FrameScores {
  const find = frameFinder(index);
  const columns = { score: nothing(index), window: nothing(index), p: nothing(index) };
  const beside = { pca: nothing(index), persistence: nothing(index), norm: nothing(index) };
  for (const row of rows) {
    const f = find(row.series, Number(row.time));
    if (f < 0) continue;
    columns.score[f] = row.score ?? Number.NaN;
    columns.window[f] = row.window_score ?? Number.NaN;
    columns.p[f] = row.p_value ?? Number.NaN;
    for (const name of ['pca', 'persistence', 'norm'] as const) beside[name][f] = row[name] ?? Number.NaN;
  }
  return { ...columns, ...beside };
}

export function alignAttention(index: FrameIndex, stored: StoredAttention): Attention {
  const find = frameFinder(index);
  const rowOf = new Map<number, number>();
  for (let row = 0; row < stored.rows; row++) {
    const f = find(stored.series(row), stored.time(row));
    if (f >= 0) rowOf.set(f, row);
  }
  const map = (frame: number) => {
    const row = rowOf.get(frame);
    return row === undefined ? null : stored.map(row);
  };
  const scale = (frame: number) => {
    const row = rowOf.get(frame);
    const weights = row === undefined ? null : stored.scale(row);
    return weights?.some((weight) => weight > 0) ? weights : null;
  };
  return { width: stored.width, height: stored.height, map, taps: stored.taps, scale };
}
