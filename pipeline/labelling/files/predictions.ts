/** Predictions as Parquet or CSV, by the file's ending. Times are timestamps in Parquet and ISO 8601 in CSV. */
import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { PARTS, type Part, type PredictionRow } from '../../../schemas/records/index.js';
import { ConfigError, TimeError } from '../../errors.js';
import { parseInstant } from '../../labels/index.js';
import { type Column, formatOf, writeRows } from './rows.js';

/** What a file of predictions must hold at least; ours hold a whole `PredictionRow`. */
export interface ReadPrediction {
  series: string;
  time: number;
  logit: number | null;
  probability: number | null;
  predicted: 0 | 1 | null;
  event_id: number | null;
  split: Part | null;
  context: number | null;
}

const COLUMNS: readonly Column<PredictionRow>[] = [
  { name: 'series', type: 'STRING' },
  { name: 'time', type: 'TIMESTAMP' },
  { name: 'logit', type: 'DOUBLE' },
  { name: 'probability', type: 'DOUBLE' },
  { name: 'predicted', type: 'INT32' },
  { name: 'event_id', type: 'INT32' },
  { name: 'split', type: 'STRING' },
  { name: 'context', type: 'INT32' },
];

/** @throws ConfigError for another ending than .parquet and .csv. */
export const writePredictions = (path: string, rows: readonly PredictionRow[]): Promise<void> =>
  writeRows(path, COLUMNS, rows);

/**
 * Ours, or anybody's with columns `time` and `probability` or `logit`; `series`, `predicted`, `event_id`, `split` and
 * `context` are optional. A missing probability is the sigmoid of the logit; a missing logit the log odds.
 * @throws ConfigError for a file that cannot be read or lacks a column, TimeError for a time without one meaning.
 */
export async function readPredictions(
  path: string,
  { assumeUtc = false }: { assumeUtc?: boolean } = {},
): Promise<ReadPrediction[]> {
  const format = formatOf(path);
  const rows = await (format === 'csv' ? readCsv(path) : readParquet(path)).catch((cause) => {
    throw new ConfigError(`cannot read the predictions in ${path}: ${cause.message}`, {
      hint: 'give a file that `stormreel label --out` wrote, or a CSV with a header',
      cause,
      fields: { path },
    });
  });
  requireColumns(path, rows);
  return rows.map((row, i) => toPrediction(row, { path, row: i + 2, assumeUtc }));
}

type Raw = Record<string, unknown>;

async function readCsv(path: string): Promise<Raw[]> {
  return parse(await readFile(path), { columns: true, bom: true, trim: true, skip_empty_lines: true });
}

async function readParquet(path: string): Promise<Raw[]> {
  return parquetReadObjects({ file: await asyncBufferFromFile(path) });
}

function requireColumns(path: string, rows: readonly Raw[]): void {
  const found = Object.keys(rows[0] ?? {});
  if (found.includes('time') && (found.includes('probability') || found.includes('logit'))) return;
  throw new ConfigError(
    `${path} has ${rows.length === 0 ? 'no rows' : `columns [${found.join(', ')}]`}; expected time and probability or logit`,
    { hint: 'rename the columns to time and probability (or logit)', fields: { path, found } },
  );
}

function toPrediction(row: Raw, where: { path: string; row: number; assumeUtc: boolean }): ReadPrediction {
  const [logit, probability] = [number(row, 'logit', where), number(row, 'probability', where)];
  if (probability !== null && !(probability >= 0 && probability <= 1))
    throw new ConfigError(`${where.path}, row ${where.row}: probability ${probability} is not in 0..1`, {
      hint: 'put log odds into a column called logit',
      fields: { ...where, probability },
    });
  const predicted = number(row, 'predicted', where);
  const split = row.split as Part;
  return {
    series: row.series === undefined || row.series === null ? '' : String(row.series),
    time: timeOf(row.time, where),
    logit: logit ?? (probability === null ? null : Math.log(probability / (1 - probability))),
    probability: probability ?? (logit === null ? null : 1 / (1 + Math.exp(-logit))),
    predicted: predicted === null ? null : predicted === 1 ? 1 : 0,
    event_id: numberOrNull(row.event_id),
    split: PARTS.includes(split) ? split : null,
    context: numberOrNull(row.context),
  };
}

/** Texts other than numbers that writers of CSV use. */
const WORDS: Record<string, number | null> = {
  '': null,
  nan: null,
  na: null,
  null: null,
  true: 1,
  false: 0,
  inf: Number.POSITIVE_INFINITY,
  '+inf': Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
};

/** Null where there is none. Anything else that is no number is an error, not a frame that quietly goes unjudged. */
function number(row: Raw, column: string, where: { path: string; row: number }): number | null {
  const value = row[column];
  if (value === undefined || value === null) return null;
  const text = String(value).trim().toLowerCase();
  const found = Object.hasOwn(WORDS, text) ? WORDS[text] : Number(text.replace('infinity', 'Infinity'));
  if (!Number.isNaN(found)) return found;
  throw new ConfigError(`${where.path}, row ${where.row}: ${column} "${value}" is not a number`, {
    hint: 'correct it, or leave it empty where the frame has no prediction',
    fields: { path: where.path, row: where.row, column, value: String(value) },
  });
}

/** For columns that judge nothing: somebody's own event names are none of ours. */
function numberOrNull(value: unknown): number | null {
  if (value === undefined || value === null || value === '') return null;
  const found = Number(value);
  return Number.isNaN(found) ? null : found;
}

function timeOf(
  value: unknown,
  { path, row, assumeUtc }: { path: string; row: number; assumeUtc: boolean },
): number {
  if (value instanceof Date) return value.getTime();
  const time = parseInstant(String(value), { assumeUtc });
  if (typeof time === 'number') return time;
  throw new TimeError(`${path}, row ${row}: cannot read time "${value}": ${time}`, {
    hint: time === 'no zone' ? 'add --assume-utc if these times are UTC' : 'write 2017-08-31T06:00Z',
    fields: { path, row, value: String(value), fault: time },
  });
}
