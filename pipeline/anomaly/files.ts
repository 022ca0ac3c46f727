/** scores.parquet and scores.csv: one row a frame in (series, time) order. */
import { PARTS, type ScoreRow } from '../../schemas/records/index.js';
import { type Column, writeRows } from '../labelling/index.js';
import type { Split } from '../sequences/index.js';
import type { FrameStore } from '../shards/index.js';
import type { AnomalyScores } from './score.js';

const COLUMNS: readonly Column<ScoreRow>[] = [
  { name: 'series', type: 'STRING' },
  { name: 'time', type: 'TIMESTAMP' },
  { name: 'score', type: 'DOUBLE' },
  { name: 'window_score', type: 'DOUBLE' },
  { name: 'p_value', type: 'DOUBLE' },
  { name: 'pca', type: 'DOUBLE' },
  { name: 'persistence', type: 'DOUBLE' },
  { name: 'norm', type: 'DOUBLE' },
  { name: 'split', type: 'STRING' },
];

/** @throws ConfigError for another ending than .parquet and .csv. */
export const writeScores = (path: string, rows: readonly ScoreRow[]): Promise<void> =>
  writeRows(path, COLUMNS, rows);

/** `split` null: no frame belongs to a part. */
export function scoreRows(
  { index }: Pick<FrameStore, 'index'>,
  { score, window, p, pca, persistence, norm }: AnomalyScores,
  split: Split | null,
): ScoreRow[] {
  const finite = (value: number) => (Number.isFinite(value) ? value : null);
  return Array.from(index.time, (time, f) => ({
    series: index.seriesNames[index.series[f]],
    time,
    score: finite(score[f]),
    window_score: finite(window[f]),
    p_value: finite(p[f]),
    pca: finite(pca[f]),
    persistence: finite(persistence[f]),
    norm: finite(norm[f]),
    split: split ? PARTS[split.part[f]] : 'none',
  }));
}
