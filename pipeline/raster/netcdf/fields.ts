/** CF fields of a NetCDF file: which variables are maps, on which grid, at which times. */
import type { Transform } from '../../../schemas/records/index.js';
import { BadRasterError, GridMismatchError } from '../../errors.js';
import { withFile } from '../bytes.js';
import type { DecodeLimits } from '../limits.js';
import type { BandHeader, DecodedMap, MapHeader, SourceDtype } from '../map.js';
import { cfTime } from './cftime.js';
import { openClassic } from './classic.js';
import { withHdf5 } from './hdf5.js';
import type { Variable, VariableFile } from './variables.js';

export interface NetCdfHeader extends MapHeader {
  /** Row 0 of the file is the southernmost: rows are turned over when decoded. */
  southUp: boolean;
}

const HDF5_MAGIC = 0x89484446;
/** Longest time axis: ten minutes a step for three centuries. */
const MOST_TIMES = 2 ** 24;

/** Opens either kind by its first bytes. */
async function withVariables<T>(path: string, work: (file: VariableFile) => Promise<T>): Promise<T> {
  return withFile(path, async (source) => {
    const head = await source.read(0, 8);
    if (new DataView(head.buffer, head.byteOffset).getUint32(0) === HDF5_MAGIC) return withHdf5(path, work);
    if (head[0] === 0x43 && head[1] === 0x44 && head[2] === 0x46) return work(await openClassic(source));
    throw new BadRasterError(`${path} is no NetCDF file: it starts with neither CDF nor HDF`, {
      hint: 'get the file again, or leave it out',
      fields: { path },
    });
  });
}

/** Grid, bands and times of a file; no field is read. */
export async function readNetCdfHeader(path: string, limits: DecodeLimits): Promise<NetCdfHeader> {
  return withVariables(path, async (file) => {
    const fields = [...file.variables.values()].filter((v) => isField(v, file));
    if (fields.length === 0)
      throw new BadRasterError(`${path} holds no variable on latitude and longitude`, {
        hint: 'its last two dimensions must be coordinate variables such as lat and lon',
        fields: { path, variables: [...file.variables.keys()] },
      });
    const [rows, columns] = fields[0].dimensions.slice(-2);
    const [height, width] = [rows, columns].map((name) => file.variables.get(name)!.shape[0]);
    if (width * height > limits.cells)
      throw new BadRasterError(`${path} claims ${width} x ${height} cells, ${limits.cells} are allowed`, {
        hint: 'cut the map into smaller files first',
        fields: { path, width, height },
      });
    if (width === 0 || height === 0)
      throw new BadRasterError(`${path} claims ${width} x ${height} cells`, {
        hint: 'get the file again, or leave it out',
        fields: { path, width, height },
      });
    if (isLatitude(file.variables.get(columns)!) && !isLatitude(file.variables.get(rows)!))
      throw new GridMismatchError(`the fields of ${path} run over (${rows}, ${columns})`, {
        hint: `rows of latitude were expected; turn them first: ncpdq -a ${columns},${rows} in.nc out.nc`,
        fields: { path, found: [rows, columns], expected: [columns, rows] },
      });
    const y = await axis(file, rows, path);
    const x = await axis(file, columns, path);
    const southUp = y.step > 0;
    const top = southUp ? y.values[height - 1] : y.values[0];
    const dy = -Math.abs(y.step);
    const transform: Transform = [x.values[0] - x.step / 2, x.step, 0, top - dy / 2, 0, dy];
    const same = fields.filter((v) => v.dimensions.slice(-2).join() === `${rows},${columns}`);
    const bands = same.map(bandHeader);
    const geographic = isLatitude(file.variables.get(rows)!);
    return {
      ...{ width, height, transform, bands, southUp },
      crs: geographic ? 'EPSG:4326' : 'unknown',
      times: await times(file, same[0], path),
      timeText: null,
    };
  });
}

/** The named fields at position `index` of the time axis, north row first. */
export async function decodeNetCdf(
  path: string,
  { width, height, southUp, bands }: NetCdfHeader,
  wanted: readonly string[],
  index: number,
  limits: DecodeLimits,
): Promise<DecodedMap> {
  const bytes = width * height * wanted.length * Float64Array.BYTES_PER_ELEMENT;
  if (bytes > limits.decodedBytes)
    throw new BadRasterError(`${path} has ${bytes} bytes when decoded, ${limits.decodedBytes} are allowed`, {
      hint: 'cut the map into smaller files first, or choose --bands',
      fields: { path, bytes },
    });
  return withVariables(path, async (file) => {
    const valid = new Uint8Array(width * height).fill(1);
    const decoded: Float64Array[] = [];
    for (const name of wanted) {
      const variable = file.variables.get(name);
      if (!variable || !isField(variable, file))
        throw new BadRasterError(
          `${path} has no field "${name}"; it has ${bands.map((b) => b.selector).join(', ')}`,
          {
            hint: 'name its variables with --bands',
            fields: { path, name },
          },
        );
      const rank = variable.shape.length;
      const start = variable.shape.map((_, d) => (d === 0 && rank > 2 ? index : 0));
      const count = variable.shape.map((size, d) => (d >= rank - 2 ? size : 1));
      const values = await file.read(variable, start, count);
      if (southUp) turnOver(values, width, height);
      const unsigned = unsignedRange(variable);
      if (unsigned) for (let i = 0; i < values.length; i++) if (values[i] < 0) values[i] += unsigned;
      mask(values, variable, valid);
      decoded.push(values);
    }
    return { width, height, bands: decoded, valid };
  });
}

/** What the NetCDF library leaves in cells that no one wrote (netcdf.h, NC_FILL_*); bytes have none. */
const DEFAULT_FILL: Record<string, number> = {
  i16: -32767,
  u16: 65535,
  i32: -2147483647,
  u32: 4294967295,
  f32: 9.969209968386869e36,
  f64: 9.969209968386869e36,
};

function mask(values: Float64Array, variable: Variable, valid: Uint8Array): void {
  const { attributes } = variable;
  const dtype = storedDtype(variable);
  const unsigned = unsignedRange(variable);
  const numbers = (key: string) =>
    [attributes.get(key) ?? []]
      .flat()
      .filter((v) => typeof v === 'number')
      .map((v) => (v < 0 ? v + unsigned : v));
  const missing = new Set([...numbers('_FillValue'), ...numbers('missing_value')]);
  const unwritten = DEFAULT_FILL[dtype ?? ''];
  if (!attributes.has('_FillValue') && unwritten !== undefined) missing.add(unwritten);
  const [least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY] = numbers('valid_range');
  const low = numbers('valid_min')[0] ?? least;
  const high = numbers('valid_max')[0] ?? most;
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]) || missing.has(values[i]) || values[i] < low || values[i] > high)
      valid[i] = 0;
}

/** Classic files keep unsigned integers as signed ones with `_Unsigned = "true"`: what to add below 0; 0 for others. */
function unsignedRange({ attributes, dtype }: Variable): number {
  const unsigned = String(attributes.get('_Unsigned')).toLowerCase() === 'true';
  return unsigned && dtype?.startsWith('i') ? 2 ** Number(dtype.slice(1)) : 0;
}

const storedDtype = (variable: Variable): string | null =>
  unsignedRange(variable) ? `u${variable.dtype!.slice(1)}` : variable.dtype;

function turnOver(values: Float64Array, width: number, height: number): void {
  for (let row = 0; row < height >> 1; row++) {
    const [a, b] = [row * width, (height - 1 - row) * width];
    const held = values.slice(a, a + width);
    values.copyWithin(a, b, b + width);
    values.set(held, b);
  }
}

/** Two last dimensions with coordinate variables; before them at most a time axis and dimensions of one entry. */
function isField(variable: Variable, file: VariableFile): boolean {
  const { dimensions, shape, dtype } = variable;
  if (dtype === null || dimensions.length < 2) return false;
  const [rows, columns] = dimensions.slice(-2).map((name) => file.variables.get(name));
  if (!rows || !columns || rows.shape.length !== 1 || columns.shape.length !== 1) return false;
  return shape.slice(1, -2).every((size) => size === 1);
}

function bandHeader(variable: Variable): BandHeader {
  const { name, attributes } = variable;
  const dtype = storedDtype(variable);
  const text = (key: string) => {
    const value = attributes.get(key);
    return typeof value === 'string' ? value : null;
  };
  const number = (key: string, otherwise: number) => {
    const value = attributes.get(key);
    return typeof value === 'number' ? value : otherwise;
  };
  return {
    ...{ name, unit: text('units'), selector: name, nodata: null },
    dtype: (dtype === 'i64' || dtype === 'u64' ? 'f64' : dtype) as SourceDtype,
    scale: number('scale_factor', 1),
    offset: number('add_offset', 0),
  };
}

const isLatitude = ({ name, attributes }: Variable): boolean =>
  /degrees?_?n/i.test(String(attributes.get('units') ?? '')) || /^lat(itude)?$/i.test(name);

async function axis(
  file: VariableFile,
  name: string,
  path: string,
): Promise<{ values: Float64Array; step: number }> {
  const variable = file.variables.get(name)!;
  const values = await file.read(variable, [0], [variable.shape[0]]);
  const step = values.length > 1 ? (values[values.length - 1] - values[0]) / (values.length - 1) : 1;
  const worst = values.reduce((most, v, i) => Math.max(most, Math.abs(v - values[0] - i * step)), 0);
  if (step !== 0 && worst < 0.01 * Math.abs(step)) return { values, step };
  throw new GridMismatchError(
    `the axis "${name}" of ${path} is not evenly spaced (off by ${worst.toPrecision(3)} of ${step.toPrecision(3)})`,
    {
      hint: 'bring the file to a regular grid first (cdo remapbil)',
      fields: { path, axis: name },
    },
  );
}

async function times(file: VariableFile, field: Variable, path: string): Promise<number[] | null> {
  if (field.dimensions.length < 3) return null;
  const variable = file.variables.get(field.dimensions[0]);
  if (variable?.shape.length !== 1) return null;
  const text = (key: string) => {
    const value = variable.attributes.get(key);
    return typeof value === 'string' ? value : undefined;
  };
  if (variable.shape[0] > MOST_TIMES)
    throw new BadRasterError(`${path} claims ${variable.shape[0]} times, ${MOST_TIMES} are allowed`, {
      hint: 'cut the file into shorter ones first',
      fields: { path, times: variable.shape[0] },
    });
  const toInstant = cfTime(text('units'), text('calendar'), path);
  return Array.from(await file.read(variable, [0], [variable.shape[0]]), toInstant);
}
