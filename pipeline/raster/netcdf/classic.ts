/** NetCDF classic (CDF-1, -2 and -5): bounded header, then reads by byte range. Format: NetCDF User Guide, appendix B. */
import type { ByteSource } from '../bytes.js';
import type { Attribute, Variable, VariableFile } from '../cf/index.js';
import { bad } from '../geotiff/directory.js';

const TYPES: Record<number, { bytes: number; dtype: string | null }> = {
  1: { bytes: 1, dtype: 'i8' },
  2: { bytes: 1, dtype: null },
  3: { bytes: 2, dtype: 'i16' },
  4: { bytes: 4, dtype: 'i32' },
  5: { bytes: 4, dtype: 'f32' },
  6: { bytes: 8, dtype: 'f64' },
  7: { bytes: 1, dtype: 'u8' },
  8: { bytes: 2, dtype: 'u16' },
  9: { bytes: 4, dtype: 'u32' },
  10: { bytes: 8, dtype: 'i64' },
  11: { bytes: 8, dtype: 'u64' },
};
const MOST_HEADER_BYTES = 16 << 20;
const MOST_ITEMS = 65_536;
/** Number of records of a file that was still being written; it follows from the file's size. */
const STREAMING = 2 ** 32 - 1;

interface Stored extends Variable {
  type: number;
  begin: number;
  record: boolean;
}

export async function openClassic(source: ByteSource): Promise<VariableFile> {
  const header = await source.read(0, Math.min(source.size, MOST_HEADER_BYTES));
  const { variables, recordBytes } = parseHeader(source, header);
  return {
    path: source.path,
    defaultFill: true,
    variables: new Map(variables.map((v) => [v.name, v])),
    async read(variable, start, count) {
      return readSlice(source, variable as Stored, start, count, recordBytes);
    },
  };
}

function parseHeader(source: ByteSource, bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[3];
  if (![1, 2, 5].includes(version))
    throw bad(source, `its version byte is ${version}`, 'NetCDF classic 1, 2 or 5');
  let at = 4;
  const need = (n: number) => {
    if (at + n > bytes.length) throw bad(source, `its header ends at byte ${bytes.length}`, 'a whole header');
    at += n;
    return at - n;
  };
  const u32 = () => view.getUint32(need(4));
  const u64 = () => Number(view.getBigUint64(need(8)));
  const size = () => (version === 5 ? u64() : u32());
  const list = <T>(item: () => T): T[] => {
    u32(); // tag; 0 when the list is absent
    const n = size();
    if (n > MOST_ITEMS) throw bad(source, `its header lists ${n} items`, `at most ${MOST_ITEMS}`);
    return Array.from({ length: n }, item);
  };
  const padded = (n: number) => need(n + ((4 - (n % 4)) % 4));
  const name = () => {
    const length = size();
    if (length > 1024) throw bad(source, `a name has ${length} bytes`, 'at most 1024');
    const from = padded(length);
    return Buffer.from(bytes.subarray(from, from + length)).toString('utf8');
  };
  const attribute = (): [string, Attribute] => {
    const key = name();
    const type = u32();
    const n = size();
    const { bytes: width } = typeOf(source, type);
    if (n * width > bytes.length)
      throw bad(source, `attribute ${key} has ${n} values`, 'values inside the header');
    const from = padded(n * width);
    if (type === 2)
      return [
        key,
        Buffer.from(bytes.subarray(from, from + n))
          .toString('utf8')
          .replace(/\0+$/, ''),
      ];
    const values = Array.from({ length: n }, (_, i) => numberAt(view, from + i * width, type));
    return [key, n === 1 ? values[0] : values];
  };
  const records = size();
  const dimensions = list(() => ({ name: name(), size: size() }));
  list(attribute);
  const variables = list((): Stored => {
    const key = name();
    const rank = size();
    if (rank > 16) throw bad(source, `variable ${key} has ${rank} dimensions`, 'at most 16');
    const ids = Array.from({ length: rank }, size);
    const unknown = ids.find((id) => id >= dimensions.length);
    if (unknown !== undefined)
      throw bad(source, `variable ${key} names dimension ${unknown}`, `one of ${dimensions.length}`);
    const attributes = new Map(list(attribute));
    const type = u32();
    size(); // vsize: derived below instead
    const begin = version === 1 ? u32() : u64();
    const record = rank > 0 && dimensions[ids[0]].size === 0;
    const shape = ids.map((id, d) => (d === 0 && record ? records : dimensions[id].size));
    const { dtype } = typeOf(source, type);
    return {
      name: key,
      dimensions: ids.map((id) => dimensions[id].name),
      shape,
      dtype,
      attributes,
      type,
      begin,
      record,
    };
  });
  const ofRecords = variables.filter((v) => v.record);
  const pad = (n: number) => (ofRecords.length > 1 ? Math.ceil(n / 4) * 4 : n);
  const recordBytes = ofRecords.reduce((total, v) => total + pad(recordSize(v)), 0);
  if (records === STREAMING) {
    const begin = Math.min(...ofRecords.map((v) => v.begin));
    const written = Math.max(0, Math.floor((source.size - begin) / recordBytes));
    for (const variable of ofRecords) variable.shape[0] = written;
  }
  return { variables, recordBytes };
}

const recordSize = ({ shape, type }: Stored): number =>
  shape.slice(1).reduce((n, d) => n * d, TYPES[type].bytes);

function typeOf(source: ByteSource, type: number) {
  const known = TYPES[type];
  if (!known) throw bad(source, `it uses type ${type}`, 'a NetCDF type');
  return known;
}

/** Reads runs along the last dimension; outer dimensions one index at a time. */
async function readSlice(
  source: ByteSource,
  variable: Stored,
  start: readonly number[],
  count: readonly number[],
  recordBytes: number,
): Promise<Float64Array> {
  const { shape, begin, record, type, name } = variable;
  const width = TYPES[type].bytes;
  shape.forEach((size, d) => {
    if (start[d] < 0 || start[d] + count[d] > size)
      throw bad(source, `${name} has ${size} entries along dimension ${d}`, `${start[d] + count[d]} or more`);
  });
  const strides = shape.map((_, d) => shape.slice(d + 1).reduce((n, s) => n * s, width));
  if (record) strides[0] = recordBytes;
  const values = count.reduce((n, c) => n * c, 1);
  if (values * width > source.size)
    throw bad(source, `${name} claims ${values} values of ${width} bytes`, `at most ${source.size} bytes`);
  const out = new Float64Array(values);
  const last = shape.length - 1;
  let filled = 0;
  async function walk(d: number, offset: number): Promise<void> {
    if (d >= last) {
      const run = count[last] ?? 1;
      const bytes = await source.read(offset + (start[last] ?? 0) * width, run * width);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let i = 0; i < run; i++) out[filled++] = numberAt(view, i * width, type);
      return;
    }
    for (let i = 0; i < count[d]; i++) await walk(d + 1, offset + (start[d] + i) * strides[d]);
  }
  if (last === 0 && record) {
    // A one-dimensional record variable lies one value a record.
    for (let i = 0; i < count[0]; i++) {
      const bytes = await source.read(begin + (start[0] + i) * recordBytes, width);
      out[i] = numberAt(new DataView(bytes.buffer, bytes.byteOffset, width), 0, type);
    }
    return out;
  }
  await walk(0, begin);
  return out;
}

function numberAt(view: DataView, at: number, type: number): number {
  switch (type) {
    case 1:
      return view.getInt8(at);
    case 3:
      return view.getInt16(at);
    case 4:
      return view.getInt32(at);
    case 5:
      return view.getFloat32(at);
    case 6:
      return view.getFloat64(at);
    case 8:
      return view.getUint16(at);
    case 9:
      return view.getUint32(at);
    case 10:
      return Number(view.getBigInt64(at));
    case 11:
      return Number(view.getBigUint64(at));
    default:
      return view.getUint8(at);
  }
}
