/** One array of a store as its own metadata has it: shape, chunks and where they lie, checked before anything is decoded. */
import { join } from 'node:path';
import * as z from 'zod';
import type { Attribute, Variable } from '../cf/index.js';
import type { DecodeLimits } from '../limits.js';
import { corrupt, readJson } from './store.js';

export interface ZarrArray extends Variable {
  version: 2 | 3;
  /** Shape of what lies in one file: a chunk, or a shard of chunks. */
  fileShape: number[];
  /** Shape of what is decoded at a time. */
  chunkShape: number[];
  /** Key of the file that holds a chunk, from the file's coordinates. */
  key(coordinates: readonly number[]): string;
}

const Size = z.int().min(0);
const Shape = z.array(Size).max(16);
const V2 = z.looseObject({
  zarr_format: z.literal(2),
  shape: Shape,
  chunks: z.array(Size.min(1)).max(16),
  dtype: z.unknown(),
  fill_value: z.unknown(),
  dimension_separator: z.enum(['.', '/']).default('.'),
});
const Sharding = z.looseObject({ chunk_shape: z.array(Size.min(1)).max(16) });
const V3 = z.looseObject({
  zarr_format: z.literal(3),
  shape: Shape,
  data_type: z.unknown(),
  chunk_grid: z.looseObject({
    name: z.literal('regular'),
    configuration: z.looseObject({ chunk_shape: z.array(Size.min(1)).max(16) }),
  }),
  chunk_key_encoding: z.looseObject({
    name: z.enum(['default', 'v2']),
    configuration: z.looseObject({ separator: z.enum(['.', '/']).optional() }).optional(),
  }),
  codecs: z.array(z.looseObject({ name: z.string(), configuration: z.unknown().optional() })).max(16),
  attributes: z.record(z.string(), z.unknown()).default({}),
  dimension_names: z.array(z.string().nullable()).nullish(),
});

/** Null for an array that holds no numbers on named dimensions. BadRasterError: metadata that cannot be. */
export async function describeArray(
  root: string,
  name: string,
  limits: DecodeLimits,
): Promise<ZarrArray | null> {
  const folder = join(root, name);
  const third = await readJson(join(folder, 'zarr.json'));
  const found = third
    ? ofVersion3(folder, name, third)
    : ofVersion2(
        folder,
        name,
        await readJson(join(folder, '.zarray')),
        await readJson(join(folder, '.zattrs')),
      );
  if (!found) return null;
  const { chunkShape, fileShape, shape, dtype } = found;
  if (fileShape.length !== shape.length || chunkShape.length !== shape.length)
    throw corrupt(folder, `its chunks have ${chunkShape.length} dimensions, it has ${shape.length}`);
  if (dtype === null) return found;
  const width = Number(dtype.slice(1)) / 8;
  const bytes = chunkShape.reduce((n, size) => n * size, width);
  const most = Math.min(limits.decodedBytes, MOST_CHUNK_BYTES);
  if (bytes > most) throw corrupt(folder, `one chunk has ${bytes} bytes when decoded, ${most} are allowed`);
  const perFile = fileShape.reduce((n, size, d) => n * Math.ceil(size / chunkShape[d]), 1);
  if (fileShape.some((size, d) => size % chunkShape[d] !== 0) || perFile > MOST_CHUNKS_IN_SHARD)
    throw corrupt(folder, `its shards of [${fileShape}] do not hold whole chunks of [${chunkShape}]`);
  return found;
}

/** As large as a block of a GeoTIFF: a chunk that is not there costs as much memory as one that is. */
const MOST_CHUNK_BYTES = 2 ** 28;
const MOST_CHUNKS_IN_SHARD = 2 ** 20;

function ofVersion3(folder: string, name: string, json: Record<string, unknown>): ZarrArray | null {
  const { success, data, error } = V3.safeParse(json);
  if (!success) throw corrupt(folder, fault(error));
  const {
    shape,
    data_type,
    chunk_grid,
    chunk_key_encoding: encoding,
    codecs,
    attributes,
    dimension_names,
  } = data;
  const fileShape = chunk_grid.configuration.chunk_shape;
  const sharding = codecs.find((codec) => codec.name === 'sharding_indexed');
  const inner = sharding && Sharding.safeParse(sharding.configuration);
  if (inner && !inner.success) throw corrupt(folder, 'its sharding has no chunk shape');
  const separator = encoding.configuration?.separator ?? (encoding.name === 'default' ? '/' : '.');
  const dtype = typeof data_type === 'string' ? (V3_TYPES[data_type] ?? null) : null;
  return {
    ...{ version: 3, name, shape, fileShape, dtype, chunkShape: inner?.data.chunk_shape ?? fileShape },
    dimensions: dimensions(name, shape, dimension_names ?? attributes._ARRAY_DIMENSIONS),
    attributes: attributesOf(attributes, dtype),
    key: (at) => (encoding.name === 'default' ? ['c', ...at].join(separator) : at.join(separator) || '0'),
  };
}

function ofVersion2(
  folder: string,
  name: string,
  json: Record<string, unknown> | null,
  attributes: Record<string, unknown> | null,
): ZarrArray | null {
  const { success, data, error } = V2.safeParse(json);
  if (!success) throw corrupt(folder, fault(error));
  const { shape, chunks, dtype: text, fill_value, dimension_separator } = data;
  const [, kind, bytes] = /^[<>|]([biuf])(\d)$/.exec(String(text)) ?? [];
  const dtype = kind ? `${kind === 'b' ? 'u' : kind}${Number(bytes) * 8}` : null;
  // In version 2 the value of cells never written is also that of missing ones, as xarray reads it.
  const given = fill_value === null || fill_value === undefined ? {} : { _FillValue: fill_value };
  return {
    ...{ version: 2, name, shape, dtype, fileShape: chunks, chunkShape: chunks },
    dimensions: dimensions(name, shape, attributes?._ARRAY_DIMENSIONS),
    attributes: attributesOf({ ...given, ...attributes }, dtype),
    key: (at) => at.join(dimension_separator) || '0',
  };
}

const fault = ({ issues: [{ path, message }] }: z.ZodError): string => `${path.join('.')}: ${message}`;

/** As variables are named: in a group with the group's name. Dimensions without a name are nobody's. */
function dimensions(name: string, shape: readonly number[], names: unknown): string[] {
  const group = name.slice(0, name.lastIndexOf('/') + 1);
  const known = Array.isArray(names) && names.length === shape.length ? names : [];
  return shape.map((_, d) => (typeof known[d] === 'string' ? group + known[d] : `${name}:dimension${d}`));
}

const V3_TYPES: Record<string, string> = {
  bool: 'u8',
  int8: 'i8',
  int16: 'i16',
  int32: 'i32',
  int64: 'i64',
  uint8: 'u8',
  uint16: 'u16',
  uint32: 'u32',
  uint64: 'u64',
  float32: 'f32',
  float64: 'f64',
};

function attributesOf(found: Record<string, unknown>, dtype: string | null): Map<string, Attribute> {
  const attributes = new Map<string, Attribute>();
  for (const [key, value] of Object.entries(found)) {
    const fill = key === '_FillValue' || key === 'missing_value' ? fillNumber(value, dtype) : undefined;
    if (fill !== undefined) attributes.set(key, fill);
    else if (typeof value === 'string' || typeof value === 'number') attributes.set(key, value);
    else if (Array.isArray(value) && value.every((v) => typeof v === 'number')) attributes.set(key, value);
  }
  return attributes;
}

/** JSON has no NaN: "NaN", "Infinity", or - as xarray writes it in version 3 - the bytes in base64. */
function fillNumber(value: unknown, dtype: string | null): number | undefined {
  if (typeof value !== 'string') return undefined;
  const number = Number(value);
  if (value === 'NaN' || !Number.isNaN(number)) return number;
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length !== 8 || !dtype?.startsWith('f')) return undefined;
  return bytes.readDoubleLE(0);
}
