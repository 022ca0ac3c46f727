/** TIFF structure, bounded: header, directories, entries. Classic and BigTIFF, both byte orders. */
import { BadRasterError } from '../../errors.js';
import type { ByteSource } from '../bytes.js';

const MOST_PAGES = 1024;
const MOST_ENTRIES = 4096;
/** Most bytes of one tag: offsets of 8 million blocks, or metadata no one wrote by hand. */
const MOST_TAG_BYTES = 2 ** 26;
/** Bytes of each TIFF field type. */
const TYPE_BYTES: Record<number, number> = {
  1: 1,
  2: 1,
  3: 2,
  4: 4,
  5: 8,
  6: 1,
  7: 1,
  8: 2,
  9: 4,
  10: 8,
  11: 4,
  12: 8,
  13: 4,
  16: 8,
  17: 8,
  18: 8,
};

export interface Directory {
  /** Numbers of a tag; undefined when it is absent. */
  numbers(tag: number): Promise<number[] | undefined>;
  text(tag: number): Promise<string | undefined>;
  bytes(tag: number): Promise<Uint8Array | undefined>;
  number(tag: number): Promise<number | undefined>;
}

export interface Tiff {
  littleEndian: boolean;
  /** All directories of the chain, in order. */
  pages: Directory[];
}

/** BadRasterError for anything that is no TIFF, ends early, or runs in a circle. */
export async function readTiff(source: ByteSource): Promise<Tiff> {
  const head = view(await source.read(0, 8));
  const order = head.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d)
    throw bad(source, 'it does not start with II or MM', 'a TIFF file');
  const littleEndian = order === 0x4949;
  const magic = head.getUint16(2, littleEndian);
  if (magic !== 42 && magic !== 43) throw bad(source, `its magic number is ${magic}`, '42 or 43');
  const big = magic === 43;
  let at = big
    ? toNumber(view(await source.read(8, 8)).getBigUint64(0, littleEndian))
    : head.getUint32(4, littleEndian);
  const seen = new Set<number>();
  const pages: Directory[] = [];
  while (at !== 0) {
    if (seen.has(at)) throw bad(source, `its directories run in a circle at byte ${at}`, 'a chain that ends');
    if (pages.length >= MOST_PAGES) throw bad(source, `it has over ${MOST_PAGES} pages`, 'one map a file');
    seen.add(at);
    const { directory, next } = await readDirectory(source, at, { littleEndian, big });
    pages.push(directory);
    at = next;
  }
  if (pages.length === 0) throw bad(source, 'it has no directory', 'at least one');
  return { littleEndian, pages };
}

interface Flavour {
  littleEndian: boolean;
  big: boolean;
}

interface Entry {
  type: number;
  count: number;
  /** Where the values lie in the file. */
  at: number;
}

async function readDirectory(source: ByteSource, at: number, { littleEndian, big }: Flavour) {
  const [countBytes, entryBytes, linkBytes] = big ? [8, 20, 8] : [2, 12, 4];
  const countView = view(await source.read(at, countBytes));
  const count = big
    ? toNumber(countView.getBigUint64(0, littleEndian))
    : countView.getUint16(0, littleEndian);
  if (count === 0 || count > MOST_ENTRIES)
    throw bad(source, `a directory has ${count} entries`, `1 to ${MOST_ENTRIES}`);
  const table = view(await source.read(at + countBytes, count * entryBytes + linkBytes));
  const entries = new Map<number, Entry>();
  for (let i = 0; i < count; i++) {
    const o = i * entryBytes;
    const type = table.getUint16(o + 2, littleEndian);
    const n = big ? toNumber(table.getBigUint64(o + 4, littleEndian)) : table.getUint32(o + 4, littleEndian);
    const [valueAt, inline] = big ? [o + 12, 8] : [o + 8, 4];
    const fits = n * (TYPE_BYTES[type] ?? 1) <= inline;
    const pointer = big
      ? toNumber(table.getBigUint64(valueAt, littleEndian))
      : table.getUint32(valueAt, littleEndian);
    entries.set(table.getUint16(o, littleEndian), {
      type,
      count: n,
      at: fits ? at + countBytes + valueAt : pointer,
    });
  }
  const link = count * entryBytes;
  const next = big ? toNumber(table.getBigUint64(link, littleEndian)) : table.getUint32(link, littleEndian);
  return { directory: directoryOf(source, entries, littleEndian), next };
}

function directoryOf(source: ByteSource, entries: Map<number, Entry>, littleEndian: boolean): Directory {
  async function bytesOf(tag: number) {
    const entry = entries.get(tag);
    if (!entry) return undefined;
    const size = TYPE_BYTES[entry.type];
    if (!size) throw bad(source, `tag ${tag} has type ${entry.type}`, 'a TIFF field type');
    if (entry.count * size > MOST_TAG_BYTES)
      throw bad(source, `tag ${tag} has ${entry.count * size} bytes`, `at most ${MOST_TAG_BYTES}`);
    return { ...entry, size, bytes: view(await source.read(entry.at, entry.count * size)) };
  }
  async function numbers(tag: number) {
    const field = await bytesOf(tag);
    if (!field) return undefined;
    const { type, count, size, bytes } = field;
    return Array.from({ length: count }, (_, i) => numberAt(bytes, i * size, type, littleEndian));
  }
  async function bytes(tag: number) {
    const field = await bytesOf(tag);
    return field && new Uint8Array(field.bytes.buffer, field.bytes.byteOffset, field.bytes.byteLength);
  }
  return {
    numbers,
    async number(tag) {
      return (await numbers(tag))?.[0];
    },
    bytes,
    async text(tag) {
      const found = await bytes(tag);
      return (
        found &&
        Buffer.from(found)
          .toString('utf8')
          .replace(/\0[\s\S]*$/, '')
      );
    },
  };
}

function numberAt(bytes: DataView, at: number, type: number, le: boolean): number {
  switch (type) {
    case 3:
      return bytes.getUint16(at, le);
    case 4:
    case 13:
      return bytes.getUint32(at, le);
    case 5:
      return bytes.getUint32(at, le) / bytes.getUint32(at + 4, le);
    case 6:
      return bytes.getInt8(at);
    case 8:
      return bytes.getInt16(at, le);
    case 9:
      return bytes.getInt32(at, le);
    case 10:
      return bytes.getInt32(at, le) / bytes.getInt32(at + 4, le);
    case 11:
      return bytes.getFloat32(at, le);
    case 12:
      return bytes.getFloat64(at, le);
    case 16:
    case 18:
      return toNumber(bytes.getBigUint64(at, le));
    case 17:
      return Number(bytes.getBigInt64(at, le));
    default:
      return bytes.getUint8(at);
  }
}

/** Numbers past 2^53 are no place in a file: they fail the range check that follows. */
const toNumber = (value: bigint): number => Number(value);

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function bad(source: { path: string }, found: string, expected: string): BadRasterError {
  return new BadRasterError(`cannot read ${source.path}: ${found}; ${expected} was expected`, {
    hint: 'get the file again, or leave it out with --on-bad-frame skip',
    fields: { path: source.path, found, expected },
  });
}
