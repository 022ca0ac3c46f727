/**
 * The inside of the thread that reads NetCDF-4: named variables and slices of them out of HDF5, by h5wasm. That library
 * trusts its files; a hostile one may turn it in circles, fill its memory or break its state, hence a thread that can end.
 */
import h5wasm, { Dataset, File, Group } from 'h5wasm/node';
import { capWasmMemory, refuseFailedReads, serveCalls, silenceStderr } from '../../guard/index.js';
import type { Attribute, Variable } from '../cf/index.js';

const HIDDEN = /^(DIMENSION_LIST|REFERENCE_LIST|CLASS|NAME|_Netcdf4.*)$/;
/** One decoded slice of the largest map, and the compressed chunks it comes from. */
const MEMORY_BYTES = 1.5 * 2 ** 30;

const MOST_DEPTH = 4;
const MOST_ITEMS = 65_536;

interface Opened {
  path: string;
  file: File;
  datasets: Map<string, Dataset>;
}

let opened: Opened | null = null;

silenceStderr();
capWasmMemory(MEMORY_BYTES);
refuseFailedReads(await h5wasm.ready);
serveCalls({ describe: describeFile, read, close });

/** Variables of the file, which stays open until `close`. */
function describeFile(path: string): [string, Variable][] {
  const { datasets } = open(path);
  return [...datasets].map(([name, dataset]) => [name, describe(name, dataset, datasets)]);
}

function read(path: string, name: string, start: readonly number[], count: readonly number[]): Float64Array {
  const dataset = open(path).datasets.get(name);
  if (!dataset) throw new Error(`it has no variable ${name}`);
  const ranges = start.map((from, d): [number, number] => [from, from + count[d]]);
  // A variable without dimensions comes as a bare number.
  const values = (ranges.length ? dataset.slice(ranges) : [dataset.value]) as ArrayLike<number> | null;
  const expected = count.reduce((n, c) => n * c, 1);
  if (values?.length !== expected)
    throw new Error(`HDF5 gives ${values?.length ?? 'none'} of ${expected} values of ${name}`);
  return Float64Array.from(values, Number);
}

/** A file that is still open is not read again: the next one under its path would show the old contents. */
function close(): void {
  opened?.file.close();
  opened = null;
}

function open(path: string): Opened {
  if (opened?.path === path) return opened;
  close();
  const file = new File(path, 'r');
  // HDF5 tells of faults by negative ids. (Its throwing error handler leaves objects open.)
  if (file.file_id < 0) throw new Error('HDF5 cannot open it');
  opened = { path, file, datasets: datasetsOf(file) };
  return opened;
}

/** Datasets of the file and its groups, `group/name`. Links may go round: no deeper than `MOST_DEPTH`, no more than `MOST_ITEMS`. */
function datasetsOf(file: File): Map<string, Dataset> {
  const datasets = new Map<string, Dataset>();
  let seen = 0;
  const walk = (group: Group | File, prefix: string, depth: number): void => {
    const groups: [string, Group][] = [];
    for (const name of group.keys()) {
      if (seen++ > MOST_ITEMS) throw new Error(`it has more than ${MOST_ITEMS} variables and groups`);
      const item = group.get(name);
      if (item instanceof Dataset) datasets.set(prefix + name, item);
      else if (item instanceof Group) groups.push([name, item]);
    }
    if (depth < MOST_DEPTH) for (const [name, item] of groups) walk(item, `${prefix}${name}/`, depth + 1);
  };
  walk(file, '', 0);
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
  if (scale) return scale.replace(/^\//, '');
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
