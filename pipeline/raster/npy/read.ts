/**
 * NumPy's `.npy`: one map, or a stack of them over time. What the array cannot say (times, place, names, and which axis is
 * which above two) stands in a JSON file beside it:
 *
 *   { "dimensions": ["time", "y", "x", "band"], "times": ["2020-01-01T00:00Z", ...], "bands": [{ "name": "ir" }],
 *     "crs": "EPSG:4326", "transform": [west, dx, 0, north, 0, -dy], "nodata": -999 }
 */
import { type ByteSource, withFile } from '../bytes.js';
import type { DecodeLimits } from '../limits.js';
import type { BandHeader, DecodedMap, MapHeader, SourceDtype } from '../map.js';
import { bad, type Layout, readArrayHeader } from './array.js';
import { Band, type Dimension, dimensionNames, placed, readSidecar } from './sidecar.js';

interface NpyHeader extends MapHeader {
  layout: Layout;
}

/** BadRasterError: no array of numbers, or one whose axes nobody can tell. TimeError: times that cannot be read. */
export const readNpyHeader = (
  path: string,
  limits: DecodeLimits,
  options: { assumeUtc?: boolean } = {},
): Promise<NpyHeader> => withFile(path, (source) => header(source, limits, options));

/** The wanted bands (by number) at position `index` of the time axis. */
export async function decodeNpy(
  path: string,
  wanted: readonly number[],
  index: number,
  limits: DecodeLimits,
): Promise<{ header: MapHeader; map: DecodedMap }> {
  return withFile(path, async (source) => {
    // Zones of times play no part here.
    const found = await header(source, limits, { assumeUtc: true });
    const { width, height, layout, bands } = found;
    const valid = new Uint8Array(width * height).fill(1);
    const decoded: Float64Array[] = [];
    for (const band of wanted) {
      if (!bands[band]) throw bad(source, `it has ${bands.length} bands`, `${band + 1} or more`);
      const values = await readBand(source, layout, { index, band, width, height });
      const { nodata } = bands[band];
      for (let cell = 0; cell < values.length; cell++)
        if (!Number.isFinite(values[cell]) || values[cell] === nodata) valid[cell] = 0;
      decoded.push(values);
    }
    return { header: found, map: { width, height, bands: decoded, valid } };
  });
}

async function header(
  source: ByteSource,
  limits: DecodeLimits,
  { assumeUtc = false }: { assumeUtc?: boolean },
): Promise<NpyHeader> {
  const array = await readArrayHeader(source);
  const sidecar = await readSidecar(source);
  const names = dimensionNames(source, array.shape, sidecar);
  const size = (name: Dimension) => (names.includes(name) ? array.shape[names.indexOf(name)] : 1);
  const [width, height, count] = [size('x'), size('y'), size('band')];
  const bytes = width * height * count * Float64Array.BYTES_PER_ELEMENT;
  if (
    width * height === 0 ||
    width * height > limits.cells ||
    count > limits.bands ||
    bytes > limits.decodedBytes
  )
    throw bad(
      source,
      `one map has ${width} x ${height} cells and ${count} bands`,
      `at most ${limits.cells} cells and ${limits.bands} bands`,
    );
  const { times, crs, transform, timeText } = placed(
    source,
    sidecar,
    names.includes('time') ? size('time') : null,
    assumeUtc,
  );
  const stored = array.stored;
  const dtype = (/64/.test(stored) ? 'f64' : stored) as SourceDtype;
  const told = sidecar.nodata ?? null;
  // As the values can hold it.
  const nodata = told !== null && dtype === 'f32' ? Math.fround(told) : told;
  const given = sidecar.bands?.map((band) => (typeof band === 'string' ? Band.parse({ name: band }) : band));
  if (given && given.length !== count)
    throw bad(source, `the file beside it names ${given.length} bands`, `${count}`);
  const bands = Array.from({ length: count }, (_, selector): BandHeader => {
    const { name = null, unit = null, scale = 1, offset = 0 } = given?.[selector] ?? {};
    return { name, unit, scale, offset, dtype, nodata, selector };
  });
  return { width, height, transform, crs, bands, times, timeText, layout: { ...array, names } };
}

const GET: Record<string, (view: DataView, at: number, littleEndian: boolean) => number> = {
  u8: (view, at) => view.getUint8(at),
  i8: (view, at) => view.getInt8(at),
  u16: (view, at, le) => view.getUint16(at, le),
  i16: (view, at, le) => view.getInt16(at, le),
  u32: (view, at, le) => view.getUint32(at, le),
  i32: (view, at, le) => view.getInt32(at, le),
  u64: (view, at, le) => Number(view.getBigUint64(at, le)),
  i64: (view, at, le) => Number(view.getBigInt64(at, le)),
  f32: (view, at, le) => view.getFloat32(at, le),
  f64: (view, at, le) => view.getFloat64(at, le),
};

/** One band of one time `[height * width]`: the bytes from its first value to its last, row by row where those lie apart. */
async function readBand(
  source: ByteSource,
  { names, strides, stored, littleEndian, begin }: Layout,
  { index, band, width, height }: { index: number; band: number; width: number; height: number },
): Promise<Float64Array> {
  const stride = (name: Dimension) => (names.includes(name) ? strides[names.indexOf(name)] : 0);
  const [dy, dx] = [stride('y'), stride('x')];
  const bytes = Number(stored.slice(1)) / 8;
  const first = index * stride('time') + band * stride('band');
  const get = GET[stored];
  const out = new Float64Array(width * height);
  const read = async (from: number, rows: number, columns: number, to: number, across: number) => {
    const span = (rows - 1) * dy + (columns - 1) * dx + 1;
    const data = await source.read(begin + from * bytes, span * bytes);
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++)
        out[to + r * across + c] = get(view, (r * dy + c * dx) * bytes, littleEndian);
  };
  const span = (height - 1) * dy + (width - 1) * dx + 1;
  if (span <= 4 * width * height) await read(first, height, width, 0, width);
  // Of a stack in Fortran order neighbours lie far apart: a column, or a row, at a time.
  else if (dy < dx) for (let c = 0; c < width; c++) await read(first + c * dx, height, 1, c, width);
  else for (let r = 0; r < height; r++) await read(first + r * dy, 1, width, r * width, width);
  return out;
}
