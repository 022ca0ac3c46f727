/** Rows of one record kind as Parquet or CSV, by the file's ending. Times are timestamps in Parquet and ISO 8601 in CSV. */
import { type BasicType, parquetWriteBuffer } from 'hyparquet-writer';
import { ConfigError } from '../../errors.js';
import { formatInstant } from '../../labels/index.js';
import { csvText, writeWhole } from './csv.js';

export interface Column<Row> {
  name: keyof Row & string;
  type: BasicType;
}

/** A column called `time` holds milliseconds since 1970. @throws ConfigError for another ending than .parquet and .csv. */
export async function writeRows<Row extends { time: number }>(
  path: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Promise<void> {
  if (formatOf(path) === 'csv') {
    const names = columns.map(({ name }) => name);
    return writeWhole(path, csvText(names, rows, { time: (time) => formatInstant(time as number) }));
  }
  const columnData = columns.map(({ name, type }) => ({
    name,
    type,
    data: rows.map((row) => (name === 'time' ? new Date(row.time) : row[name])),
  }));
  await writeWhole(path, new Uint8Array(parquetWriteBuffer({ columnData })));
}

export function formatOf(path: string): 'parquet' | 'csv' {
  if (/\.parquet$/i.test(path)) return 'parquet';
  if (/\.csv$/i.test(path)) return 'csv';
  throw new ConfigError(`cannot tell the format of ${path}: it ends neither in .parquet nor in .csv`, {
    hint: 'name the file predictions.parquet or predictions.csv',
    fields: { path },
  });
}
