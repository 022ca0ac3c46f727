/** Text of a CSV file -> rows by column name. Bounded and strict: what is no UTF-8 table is told, not guessed at. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { CsvError, parse } from 'csv-parse/sync';
import { ConfigError, LabelJoinError } from '../errors.js';

/** About four million labels. */
const MOST_BYTES = 2 ** 27;
const MOST_COLUMNS = 1_000;
/** Of one row; a quote that is never closed ends here. */
const MOST_ROW_BYTES = 2 ** 20;

const NONBLOCKING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

export interface CsvRecord {
  cells: Record<string, string>;
  line: number;
}

/** ConfigError: no such file, or no file; LabelJoinError: too long, no UTF-8, no table. */
export async function readCsv(file: string): Promise<CsvRecord[]> {
  const name = basename(file);
  return parseCsv(toText(await readBytes(file, name), name), name);
}

async function readBytes(file: string, name: string): Promise<Uint8Array> {
  const unreadable = (cause: Error) => {
    throw new ConfigError(`cannot read the labels file ${file}: ${cause.message}`, {
      hint: 'give the path of a CSV with a header: --labels FILE',
      cause,
      fields: { file },
    });
  };
  // Not waiting for the other end of a pipe: what it is can be asked once it is open.
  const handle = await open(file, NONBLOCKING).catch(unreadable);
  try {
    const info = await handle.stat();
    if (!info.isFile()) unreadable(new Error('it is no file'));
    if (info.size > MOST_BYTES)
      throw new LabelJoinError(`${name} has ${info.size} bytes, ${MOST_BYTES} are allowed`, {
        hint: 'leave out columns and rows that are not needed',
        fields: { file: name, bytes: info.size },
      });
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

function toText(bytes: Uint8Array, name: string): string {
  const [a, b] = bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) throw noText(name, 'UTF-16', 0);
  const nul = bytes.indexOf(0);
  if (nul >= 0) throw noText(name, 'a zero byte', nul);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw noText(name, 'bytes that are no UTF-8', firstWrong(bytes));
  }
}

/** Where decoding stops, found by halves: text that is right up to there stays right when it is cut a little later. */
function firstWrong(bytes: Uint8Array): number {
  let [low, high] = [0, bytes.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      low = middle;
    } catch {
      high = middle;
    }
  }
  return low;
}

function noText(name: string, found: string, byte: number): LabelJoinError {
  return new LabelJoinError(`cannot read ${name}: it holds ${found} at byte ${byte}`, {
    hint: 'save it as UTF-8 text: iconv -f ENCODING -t UTF-8 labels.csv',
    fields: { file: name, found, byte },
  });
}

function parseCsv(text: string, name: string): CsvRecord[] {
  try {
    const parsed = parse(text, {
      columns: (header: string[]) => checkHeader(header, name),
      bom: true,
      trim: true,
      info: true,
      skip_empty_lines: true,
      max_record_size: MOST_ROW_BYTES,
    }) as unknown as { record: Record<string, string>; info: { lines: number } }[];
    return parsed.map(({ record, info }) => ({ cells: record, line: info.lines }));
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new LabelJoinError(`cannot read ${name}: ${cause.message.slice(0, 500)}`, {
      hint: 'the file must be a comma-separated table with a header and as many cells in every row',
      cause,
      fields: { file: name, line: cause.lines },
    });
  }
}

function checkHeader(header: string[], name: string): string[] {
  if (header.length > MOST_COLUMNS)
    throw new LabelJoinError(`${name} has ${header.length} columns, ${MOST_COLUMNS} are allowed`, {
      hint: 'keep the columns of time, label and what else is needed',
      fields: { file: name, columns: header.length },
    });
  const twice = header.find((column, i) => column !== '' && header.indexOf(column) !== i);
  if (twice !== undefined)
    throw new LabelJoinError(`${name} has two columns "${twice}"`, {
      hint: 'give each column a name of its own',
      fields: { file: name, column: twice },
    });
  if (header.length === 1 && /[;\t|]/.test(header[0]))
    throw new LabelJoinError(`the header of ${name} is "${header[0].slice(0, 200)}"`, {
      hint: 'separate the cells by commas',
      fields: { file: name, found: header[0].slice(0, 200) },
    });
  return header;
}
