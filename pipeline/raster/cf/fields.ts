/** CF fields of a file: which variables are maps, on which grid, at which times. */
import type { Transform } from '../../../schemas/records/index.js';
import { BadRasterError, GridMismatchError } from '../../errors.js';
import type { DecodeLimits } from '../limits.js';
import type { BandHeader, DecodedMap, MapHeader, SourceDtype } from '../map.js';
import { isLatitude, readAxis } from './axes.js';
import { gridMapping } from './gridMapping.js';
import { maskMissing, storedDtype, unsignedRange } from './missing.js';
import { isTime, leadOf, readTimes, type TimeOptions } from './timeAxis.js';
import { numberOf, textOf, type Variable, type VariableFile } from './variables.js';

export interface CfHeader extends MapHeader {
  /** Row 0 of the file is the southernmost: rows are turned over when decoded. */
  southUp: boolean;
}

export type FieldOptions = TimeOptions;

/** Grid, bands and times; no field is read. */
export async function describeFields(
  file: VariableFile,
  limits: DecodeLimits,
  options: FieldOptions = {},
): Promise<CfHeader> {
  const { header, fields, lead } = await describeGrid(file, limits);
  return { ...header, times: await readTimes(file, fields, lead, options) };
}

/** Names of the variables on the map's grid. */
export const fieldNames = async (file: VariableFile, limits: DecodeLimits): Promise<string[]> =>
  (await describeGrid(file, limits)).header.bands.map(({ selector }) => String(selector));

async function describeGrid(
  file: VariableFile,
  limits: DecodeLimits,
): Promise<{ header: CfHeader; fields: Variable[]; lead: string | null }> {
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
  const onGrid = fields.filter((v) => v.dimensions.slice(-2).join() === `${rows},${columns}`);
  const lead = leadOf(file, onGrid);
  const same = onGrid.filter((v) => hasLead(v, lead) || isFixed(v));
  return {
    ...{ fields: same, lead },
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
  const { header, lead } = await describeGrid(file, limits);
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
    const start = variable.shape.map((_, d) => (d === 0 && hasLead(variable, lead) ? index : 0));
    const count = variable.shape.map((size, d) => (d >= rank - 2 ? size : 1));
    const values = await file.read(variable, start, count);
    if (southUp) turnOver(values, width, height);
    const unsigned = unsignedRange(variable);
    if (unsigned) for (let i = 0; i < values.length; i++) if (values[i] < 0) values[i] += unsigned;
    maskMissing(values, variable, valid, file.defaultFill);
    decoded.push(values);
  }
  return { header, map: { width, height, bands: decoded, valid } };
}

function turnOver(values: Float64Array, width: number, height: number): void {
  for (let row = 0; row < height >> 1; row++) {
    const [a, b] = [row * width, (height - 1 - row) * width];
    const held = values.slice(a, a + width);
    values.copyWithin(a, b, b + width);
    values.set(held, b);
  }
}

/** The field has a map for each entry of the time axis `lead`. */
const hasLead = ({ dimensions }: Variable, lead: string | null): boolean =>
  dimensions.length > 2 && dimensions[0] === lead;

/** The field is one map: it counts at every time. */
const isFixed = ({ shape }: Variable): boolean => shape.slice(0, -2).every((size) => size === 1);

/** Two last dimensions with coordinate variables, neither of them times; before them at most a time axis and dimensions of one entry. */
function isField(variable: Variable, file: VariableFile): boolean {
  const { dimensions, shape, dtype } = variable;
  if (dtype === null || dimensions.length < 2) return false;
  const [rows, columns] = dimensions.slice(-2).map((name) => file.variables.get(name));
  if (!rows || !columns || rows.shape.length !== 1 || columns.shape.length !== 1) return false;
  if (isTime(rows) || isTime(columns)) return false;
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
