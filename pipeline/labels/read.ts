/**
 * Label rows from a CSV with a header: time and class, and where the file has them series, event, ignore, source
 * and centre. Nothing is guessed: a time without a zone, a class other than 0 and 1 or two rows for one frame are errors.
 *
 *   const rows = await readLabels(LabelsConfig.parse({ file: 'storms.csv', column: 'storm' }), { baseDir: '.' });
 */
import { basename, resolve } from 'node:path';
import type { LabelsConfig } from '../../schemas/config/index.js';
import { ConfigError, LabelJoinError, TimeError } from '../errors.js';
import { type CsvRecord, readCsv } from './csv.js';
import { formatInstant, type InstantFault, parseInstant } from './instant.js';

/** One label as its source states it. */
export interface LabelRow {
  /** Milliseconds since 1970, UTC, as written (`timeOffset` is added by the join). */
  time: number;
  label: 0 | 1;
  /** Null where the source has no series. */
  series: string | null;
  event: string | null;
  ignore: 0 | 1;
  /** Centre in degrees; NaN where unknown. */
  lat: number;
  lon: number;
  /** Where the row stands, for messages: `storms.csv line 12`. */
  where: string;
}

type Cells = Record<string, string>;
interface Columns {
  time: string;
  label: string;
  series?: string;
  event?: string;
  ignore?: string;
  source?: string;
  lat?: string;
  lon?: string;
}

/**
 * Rows in file order. ConfigError: no such file; TimeError: a time that is not one instant; LabelJoinError: a missing
 * column, a class other than 0 and 1, a broken row, two rows for one (series, time), several sources and none chosen.
 */
export async function readLabels(
  config: LabelsConfig,
  { baseDir }: { baseDir: string },
): Promise<LabelRow[]> {
  const file = labelFile(config, baseDir);
  const records = await readCsv(file);
  const columns = findColumns(records, config, basename(file));
  const chosen = ofSource(records, columns, config, basename(file));
  const rows = chosen.map(({ cells, line }) =>
    toRow(cells, columns, config, `${basename(file)} line ${line}`),
  );
  refuseDuplicates(rows);
  return rows;
}

function labelFile(config: LabelsConfig, baseDir: string): string {
  if (config.file) return resolve(baseDir, config.file);
  throw new ConfigError('labels.file is not set', { hint: 'give --labels FILE, or labels.file in the YAML' });
}

function findColumns(records: CsvRecord[], config: LabelsConfig, name: string): Columns {
  if (records.length === 0)
    throw new LabelJoinError(`${name} holds no labels`, {
      hint: 'the file needs a header and at least one row',
      fields: { file: name },
    });
  const found = Object.keys(records[0].cells);
  const required = (column: string, flag: string) => {
    if (found.includes(column)) return column;
    throw new LabelJoinError(`${name} has no column "${column}"; it has [${found.join(', ')}]`, {
      hint: `name the column with ${flag}`,
      fields: { file: name, column, found },
    });
  };
  const optional = (column: string | undefined, usual: string, flag: string) => {
    if (column !== undefined && column !== usual) return required(column, flag);
    return found.includes(usual) ? usual : undefined;
  };
  return {
    time: required(config.timeColumn, 'labels.timeColumn'),
    label: required(config.column, '--label-column NAME'),
    series: optional(config.seriesColumn, 'series', '--label-series-column NAME'),
    event: optional(config.eventColumn, 'event_id', 'labels.eventColumn'),
    lat: optional(config.latColumn, 'lat', '--label-lat NAME'),
    lon: optional(config.lonColumn, 'lon', '--label-lon NAME'),
    ignore: optional(undefined, 'ignore', ''),
    source: optional(undefined, 'source', ''),
  };
}

/** A file of several sources needs one chosen; each is read as labels of its own. */
function ofSource(records: CsvRecord[], columns: Columns, config: LabelsConfig, name: string): CsvRecord[] {
  const column = columns.source;
  if (column === undefined) return records;
  const sources = [...new Set(records.map(({ cells }) => cells[column]))];
  if (config.source && sources.includes(config.source))
    return records.filter(({ cells }) => cells[column] === config.source);
  if (sources.length === 1) return records;
  throw new LabelJoinError(`${name} holds labels of several sources [${sources.slice(0, 5).join(', ')}]`, {
    hint: `choose one: labels.source: ${sources[0]}`,
    fields: { file: name, sources },
  });
}

function toRow(cells: Cells, columns: Columns, config: LabelsConfig, where: string): LabelRow {
  const cell = (column: string | undefined) => (column === undefined ? '' : cells[column]);
  return {
    time: toTime(cells[columns.time], config.assumeUtc, where),
    label: toBit(cells[columns.label], `class in column "${columns.label}"`, where),
    series: columns.series === undefined ? null : cells[columns.series],
    event: cell(columns.event) || null,
    ignore: cell(columns.ignore) === '' ? 0 : toBit(cell(columns.ignore), 'ignore flag', where),
    lat: toDegrees(cell(columns.lat), 90, where),
    lon: toDegrees(cell(columns.lon), 360, where),
    where,
  };
}

function toTime(text: string, assumeUtc: boolean, where: string): number {
  const time = parseInstant(text, { assumeUtc });
  if (typeof time === 'number') return time;
  const zoneless = time === 'no zone' || time === 'no time of day';
  throw new TimeError(`${where}: the time "${text}" has ${faultText(time)}`, {
    hint: zoneless
      ? 'say that such times are UTC with --assume-utc, or write 2017-08-31T06:00Z'
      : 'write ISO 8601 in UTC, e.g. 2017-08-31T06:00Z',
    fields: { where, value: text, fault: time },
  });
}

const faultText = (fault: InstantFault): string =>
  fault === 'no zone'
    ? 'no zone'
    : fault === 'no time of day'
      ? 'neither time of day nor zone'
      : fault === 'not ISO 8601'
        ? 'not the form of ISO 8601'
        : 'a field that does not exist in the calendar';

function toBit(text: string, what: string, where: string): 0 | 1 {
  if (text === '0') return 0;
  if (text === '1') return 1;
  throw new LabelJoinError(`${where}: the ${what} is "${text}"; expected 0 or 1`, {
    hint: 'write 0 (no storm) or 1 (storm), or name another column with --label-column',
    fields: { where, value: text },
  });
}

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function toDegrees(text: string, limit: number, where: string): number {
  if (text === '') return Number.NaN;
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  if (Math.abs(value) <= limit) return value;
  throw new LabelJoinError(`${where}: "${text}" is not degrees within ${limit}`, {
    hint: 'lat and lon are decimal degrees, empty where unknown',
    fields: { where, value: text },
  });
}

function refuseDuplicates(rows: LabelRow[]): void {
  const seen = new Map<string, LabelRow>();
  for (const row of rows) {
    const key = `${row.time} ${row.series ?? ''}`;
    const first = seen.get(key);
    if (first)
      throw new LabelJoinError(
        `two labels for ${row.series === null ? '' : `series "${row.series}" at `}${formatInstant(row.time)}: ${first.where} and ${row.where}`,
        {
          hint: 'keep one row a series and time; name the series column with --label-series-column',
          fields: { time: row.time, series: row.series, rows: [first.where, row.where] },
        },
      );
    seen.set(key, row);
  }
}
