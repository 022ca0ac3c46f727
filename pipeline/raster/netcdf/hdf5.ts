/** NetCDF-4: the same variables out of an HDF5 file, by h5wasm. */
import { createRequire } from 'node:module';
import h5wasm, { Dataset, type File } from 'h5wasm/node';
import { BadRasterError } from '../../errors.js';
import type { Attribute, Variable, VariableFile } from './variables.js';

const HIDDEN = /^(DIMENSION_LIST|REFERENCE_LIST|CLASS|NAME|_Netcdf4.*)$/;

/** Opens `path`, hands its variables to `work`, closes it. */
export async function withHdf5<T>(path: string, work: (file: VariableFile) => Promise<T>): Promise<T> {
  await h5wasm.ready;
  const orCorrupt = <R>(read: () => R): R => {
    try {
      return quietly(read);
    } catch (cause) {
      throw corrupt(path, cause);
    }
  };
  // HDF5 tells of faults by negative ids. (Its throwing error handler leaves objects open, and a file that
  // is still open is not read again: the next file under that path would show the old contents.)
  const file = orCorrupt(() => new h5wasm.File(path, 'r'));
  if (file.file_id < 0) throw corrupt(path, new Error('HDF5 cannot open it'));
  try {
    const datasets = orCorrupt(() => datasetsOf(file));
    const variables = orCorrupt(
      () => new Map([...datasets].map(([name, dataset]) => [name, describe(name, dataset, datasets)])),
    );
    return await work({
      variables,
      async read({ name }, start, count) {
        const dataset = datasets.get(name)!;
        const ranges = start.map((from, d): [number, number] => [from, from + count[d]]);
        return orCorrupt(() => Float64Array.from(dataset.slice(ranges) as ArrayLike<number>, Number));
      },
    });
  } finally {
    file.close();
  }
}

const files = createRequire(import.meta.url)('node:fs') as typeof import('node:fs');

/** Without the stack of diagnostics that HDF5 writes straight to stderr for each fault, which our error tells already. */
function quietly<R>(read: () => R): R {
  const { writeSync } = files;
  const silent = (fd: number, data: Uint8Array, offset = 0, length = data.byteLength, position?: number) =>
    fd === 2 ? length : writeSync(fd, data, offset, length, position);
  files.writeSync = silent as typeof writeSync;
  try {
    return read();
  } finally {
    files.writeSync = writeSync;
  }
}

function datasetsOf(file: File): Map<string, Dataset> {
  const datasets = new Map<string, Dataset>();
  for (const name of file.keys()) {
    const item = file.get(name);
    if (item instanceof Dataset) datasets.set(name, item);
  }
  return datasets;
}

function describe(name: string, dataset: Dataset, all: ReadonlyMap<string, Dataset>): Variable {
  const shape = (dataset.shape ?? []).map(Number);
  const attributes = new Map<string, Attribute>();
  for (const [key, attribute] of Object.entries(dataset.attrs)) {
    if (HIDDEN.test(key)) continue;
    const value = plain(attribute.value);
    if (value !== undefined) attributes.set(key, value);
  }
  return {
    name,
    dimensions: shape.map((size, d) => dimensionName(dataset, d, size, name, all)),
    shape,
    dtype: dtypeOf(dataset.dtype),
    attributes,
  };
}

function dimensionName(
  dataset: Dataset,
  d: number,
  size: number,
  own: string,
  all: ReadonlyMap<string, Dataset>,
): string {
  const scale = dataset.get_attached_scales(d)[0];
  if (scale) return scale.replace(/^.*\//, '');
  if (dataset.shape?.length === 1) return own; // a coordinate variable is its own dimension
  const fitting = [...all].filter(
    ([, other]) => other.shape?.length === 1 && Number(other.shape[0]) === size,
  );
  return fitting.length === 1 ? fitting[0][0] : `dimension${d}`;
}

function plain(value: unknown): Attribute | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
  if (ArrayBuffer.isView(value)) {
    const numbers = Array.from(value as unknown as ArrayLike<number>, Number);
    return numbers.length === 1 ? numbers[0] : numbers;
  }
  return undefined;
}

const CODES: Record<string, string> = {
  b: 'i8',
  B: 'u8',
  h: 'i16',
  H: 'u16',
  i: 'i32',
  I: 'u32',
  q: 'i64',
  Q: 'u64',
  f: 'f32',
  d: 'f64',
};

function dtypeOf(dtype: unknown): string | null {
  return typeof dtype === 'string' ? (CODES[dtype.replace(/[<>|=]/, '')] ?? null) : null;
}

function corrupt(path: string, cause: unknown): BadRasterError {
  return new BadRasterError(`cannot read ${path} as NetCDF-4: ${(cause as Error).message ?? cause}`, {
    hint: 'get the file again, or leave it out with --on-bad-frame skip',
    cause,
    fields: { path },
  });
}
