/** CF fields of a file: which variables are maps, on which grid, at which times. */
import type { Transform } from '../../../schemas/records/index.js';
import { BadRasterError, GridMismatchError } from '../../errors.js';
import type { DecodeLimits } from '../limits.js';
import type { BandHeader, DecodedMap, MapHeader, SourceDtype } from '../map.js';
import { isLatitude, readAxis } from './axes.js';
import { gridMapping } from './gridMapping.js';
import { cfTime } from './times.js';
import { nearby, numberOf, textOf, type Variable, type VariableFile } from './variables.js';

export interface CfHeader extends MapHeader {
  /** Row 0 of the file is the southernmost: rows are turned over when decoded. */
  southUp: boolean;
}

export interface FieldOptions {
  /** Dates of calendars that are not of this world keep their names on the standard calendar. */
  modelDates?: boolean;
  /** Units of time axes that have none. */
  timeUnits?: string;
}

/** Longest time axis: an hour a step for 120 years. */
const MOST_TIMES = 2 ** 20;

/** Grid, bands and times; no field is read. */
export async function describeFields(
  file: VariableFile,
  limits: DecodeLimits,
  options: FieldOptions = {},
): Promise<CfHeader> {
  const { header, field } = await describeGrid(file, limits);
  return { ...header, times: await times(file, field, options) };
}

/** Names of the variables on the map's grid. */
export const fieldNames = async (file: VariableFile, limits: DecodeLimits): Promise<string[]> =>
  (await describeGrid(file, limits)).header.bands.map(({ selector }) => String(selector));

async function describeGrid(
  file: VariableFile,
  limits: DecodeLimits,
): Promise<{ header: CfHeader; field: Variable }> {
  const { path } = file;
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
  const geographic = isLatitude(file.variables.get(rows)!);
  if (isLatitude(file.variables.get(columns)!) && !geographic)
    throw new GridMismatchError(`the fields of ${path} run over (${rows}, ${columns})`, {
      hint: `rows of latitude were expected; turn them first: ncpdq -a ${columns},${rows} in.nc out.nc`,
      fields: { path, found: [rows, columns], expected: [columns, rows] },
    });
  const mapping = gridMapping(file, fields[0]);
  const y = await readAxis(file, rows, mapping?.height ?? null);
  const x = await readAxis(file, columns, mapping?.height ?? null);
  const southUp = y.step > 0;
  const dy = -Math.abs(y.step);
  const transform: Transform = [x.first - x.step / 2, x.step, 0, Math.max(y.first, y.last) - dy / 2, 0, dy];
  const same = fields.filter((v) => v.dimensions.slice(-2).join() === `${rows},${columns}`);
  return {
    field: same[0],
    header: {
      ...{ width, height, transform, bands: same.map(bandHeader), southUp },
      crs: geographic ? 'EPSG:4326' : (mapping?.crs ?? 'unknown'),
      times: null,
      timeText: null,
    },
  };
}

/** The named fields at position `index` of the time axis, north row first. */
export async function decodeFields(
  file: VariableFile,
  wanted: readonly string[],
  index: number,
  limits: DecodeLimits,
): Promise<{ header: CfHeader; map: DecodedMap }> {
  const { header } = await describeGrid(file, limits);
  const { width, height, southUp, bands } = header;
  const { path } = file;
  const bytes = width * height * wanted.length * Float64Array.BYTES_PER_ELEMENT;
  if (bytes > limits.decodedBytes)
    throw new BadRasterError(`${path} has ${bytes} bytes when decoded, ${limits.decodedBytes} are allowed`, {
      hint: 'cut the map into smaller files first, or choose --bands',
      fields: { path, bytes },
    });
  const valid = new Uint8Array(width * height).fill(1);
  const decoded: Float64Array[] = [];
  for (const name of wanted) {
    const variable = file.variables.get(name);
    if (!variable || !bands.some(({ selector }) => selector === name))
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
    mask(values, variable, valid, file.defaultFill);
    decoded.push(values);
  }
  return { header, map: { width, height, bands: decoded, valid } };
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

function mask(values: Float64Array, variable: Variable, valid: Uint8Array, defaultFill: boolean): void {
  const { attributes } = variable;
  const dtype = storedDtype(variable);
  const unsigned = unsignedRange(variable);
  const numbers = (key: string) =>
    [attributes.get(key) ?? []]
      .flat()
      .filter((v) => typeof v === 'number')
      .map((v) => (v < 0 ? v + unsigned : v));
  const missing = new Set([...numbers('_FillValue'), ...numbers('missing_value')]);
  const unwritten = defaultFill ? DEFAULT_FILL[dtype ?? ''] : undefined;
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
  const { name } = variable;
  const dtype = storedDtype(variable);
  return {
    ...{ name, unit: textOf(variable, 'units') ?? null, selector: name, nodata: null },
    dtype: (dtype === 'i64' || dtype === 'u64' ? 'f64' : dtype) as SourceDtype,
    scale: numberOf(variable, 'scale_factor') ?? 1,
    offset: numberOf(variable, 'add_offset') ?? 0,
  };
}

/** Of the first dimension, or of the one time that a field on two dimensions names among its coordinates. */
async function times(
  file: VariableFile,
  field: Variable,
  { modelDates, timeUnits }: FieldOptions,
): Promise<number[] | null> {
  const { path } = file;
  const variable = timeVariable(file, field);
  if (!variable) return null;
  const size = variable.shape[0] ?? 1;
  if (size > MOST_TIMES)
    throw new BadRasterError(`${path} claims ${size} times, ${MOST_TIMES} are allowed`, {
      hint: 'cut the file into shorter ones first',
      fields: { path, times: size },
    });
  const toInstant = cfTime(textOf(variable, 'units') ?? timeUnits, textOf(variable, 'calendar'), path, {
    modelDates,
  });
  const stored = await file.read(
    variable,
    variable.shape.length ? [0] : [],
    variable.shape.length ? [size] : [],
  );
  const scale = numberOf(variable, 'scale_factor') ?? 1;
  const offset = numberOf(variable, 'add_offset') ?? 0;
  return Array.from(stored, (value) => toInstant(value * scale + offset));
}

function timeVariable(file: VariableFile, field: Variable): Variable | undefined {
  if (field.dimensions.length >= 3) {
    const variable = file.variables.get(field.dimensions[0]);
    return variable?.shape.length === 1 ? variable : undefined;
  }
  const names = (textOf(field, 'coordinates') ?? '').split(/\s+/).filter((name) => name !== '');
  const scalars = names.map((name) => nearby(file, field, name)).filter((v) => v?.shape.length === 0);
  return scalars.find((v) => / since /i.test(textOf(v!, 'units') ?? ''));
}
