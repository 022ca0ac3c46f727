/**
 * Frames -> GeoTIFF: what stormreel itself writes (simulated maps, examples, evidence maps). Little-endian, band
 * interleaved by pixel, strips or tiles, none or Deflate, horizontal predictor for integers. The same input gives the same bytes.
 */
import { deflateSync } from 'node:zlib';
import type { StoredArray } from '../../../schemas/arrow/index.js';
import type { Dtype, Transform } from '../../../schemas/records/index.js';

export interface GeoTiffImage {
  width: number;
  height: number;
  bands: number;
  dtype: Dtype;
  /** `[height, width, band]`, stored units. */
  values: StoredArray;
  /** Corner of the first cell and cell size, GDAL order, no rotation; null: no georeference. */
  transform: Transform | null;
  /** `EPSG:n` or `none`. */
  crs: string;
  nodata?: number;
  /** Physical value = stored * scale + offset, one entry a band. */
  scale?: readonly number[];
  offset?: readonly number[];
  bandNames?: readonly string[];
  bandUnits?: readonly string[];
  /** Written to the DateTime tag as UTC, to the second; a date or milliseconds since 1970. */
  dateTime?: Date | number;
  compression?: 'none' | 'deflate';
  /** Edge of square tiles, a multiple of 16; default: strips of about 64 KiB. */
  tileSize?: number;
  /** Horizontal differencing before Deflate; left out for floats and without compression, where libtiff knows none. */
  predictor?: boolean;
}

const TYPE = { byte: 1, ascii: 2, short: 3, long: 4, double: 12 } as const;
const TYPE_BYTES: Record<number, number> = { 1: 1, 2: 1, 3: 2, 4: 4, 12: 8 };
const SAMPLE: Record<Dtype, { bits: number; format: number }> = {
  u8: { bits: 8, format: 1 },
  u16: { bits: 16, format: 1 },
  i16: { bits: 16, format: 2 },
  f32: { bits: 32, format: 3 },
};
const STRIP_BYTES = 65_536;

interface Entry {
  tag: number;
  type: number;
  values: readonly number[];
}

/** The bytes of a classic TIFF file (under 4 GiB). */
export function encodeGeoTiff(image: GeoTiffImage): Uint8Array {
  const { width, height, bands, values } = image;
  if (values.length !== width * height * bands)
    throw new RangeError(
      `values has ${values.length} entries; ${height} x ${width} x ${bands} were expected`,
    );
  if (image.tileSize && image.tileSize % 16 !== 0)
    throw new RangeError(`tileSize is ${image.tileSize}; a multiple of 16 was expected`);
  const blocks = cutBlocks(image).map((block) => packBlock(block, image));
  const entries = [...layoutEntries(image, blocks), ...geoEntries(image), ...metadataEntries(image)];
  return assemble(
    entries.sort((a, b) => a.tag - b.tag),
    blocks,
  );
}

interface Block {
  values: StoredArray;
  width: number;
  height: number;
}

function blockShape({
  width,
  height,
  bands,
  dtype,
  tileSize,
}: GeoTiffImage): [width: number, height: number] {
  if (tileSize) return [tileSize, tileSize];
  const rowBytes = (width * bands * SAMPLE[dtype].bits) / 8;
  return [width, Math.max(1, Math.min(height, Math.floor(STRIP_BYTES / rowBytes)))];
}

function cutBlocks(image: GeoTiffImage): Block[] {
  const { width, height, bands, values, tileSize } = image;
  const [blockWidth, blockHeight] = blockShape(image);
  const blocks: Block[] = [];
  for (let top = 0; top < height; top += blockHeight)
    for (let left = 0; left < width; left += blockWidth) {
      const rows = tileSize ? blockHeight : Math.min(blockHeight, height - top);
      const block = values.slice(0, 0).constructor as new (n: number) => StoredArray;
      const out = new block(blockWidth * rows * bands);
      const copied = Math.min(blockWidth, width - left) * bands;
      for (let row = 0; row < Math.min(rows, height - top); row++) {
        const from = ((top + row) * width + left) * bands;
        out.set(values.subarray(from, from + copied), row * blockWidth * bands);
      }
      blocks.push({ values: out, width: blockWidth, height: rows });
    }
  return blocks;
}

function packBlock(block: Block, image: GeoTiffImage): Uint8Array {
  if (isDifferenced(image)) difference(block, image.bands);
  const { buffer, byteOffset, byteLength } = block.values;
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  return image.compression === 'deflate' ? deflateSync(bytes, { level: 9 }) : bytes;
}

const isDifferenced = ({ predictor, dtype, compression }: GeoTiffImage): boolean =>
  predictor === true && dtype !== 'f32' && compression === 'deflate';

function difference({ values, width, height }: Block, bands: number): void {
  const row = width * bands;
  for (let y = 0; y < height; y++)
    for (let i = (y + 1) * row - 1; i >= y * row + bands; i--) values[i] -= values[i - bands];
}

function layoutEntries(image: GeoTiffImage, blocks: readonly Uint8Array[]): Entry[] {
  const { width, height, bands, dtype, compression = 'none', tileSize } = image;
  const { bits, format } = SAMPLE[dtype];
  const [blockWidth, blockHeight] = blockShape(image);
  const each = (value: number) => Array<number>(bands).fill(value);
  const [offsetsTag, countsTag] = tileSize ? [324, 325] : [273, 279];
  return [
    { tag: 256, type: TYPE.long, values: [width] },
    { tag: 257, type: TYPE.long, values: [height] },
    { tag: 258, type: TYPE.short, values: each(bits) },
    { tag: 259, type: TYPE.short, values: [compression === 'deflate' ? 8 : 1] },
    { tag: 262, type: TYPE.short, values: [1] },
    { tag: offsetsTag, type: TYPE.long, values: blocks.map(() => 0) },
    { tag: 277, type: TYPE.short, values: [bands] },
    { tag: countsTag, type: TYPE.long, values: blocks.map((b) => b.byteLength) },
    { tag: 284, type: TYPE.short, values: [1] },
    ...(isDifferenced(image) ? [{ tag: 317, type: TYPE.short, values: [2] }] : []),
    ...(tileSize
      ? [
          { tag: 322, type: TYPE.long, values: [blockWidth] },
          { tag: 323, type: TYPE.long, values: [blockHeight] },
        ]
      : [{ tag: 278, type: TYPE.long, values: [blockHeight] }]),
    ...(bands > 1 ? [{ tag: 338, type: TYPE.short, values: Array<number>(bands - 1).fill(0) }] : []),
    { tag: 339, type: TYPE.short, values: each(format) },
  ];
}

/** Codes in degrees, which GeoTIFF keeps under another key than projected ones. */
const GEOGRAPHIC = new Set([4326, 4258, 4267, 4269, 4283, 4490, 4674, 4979, 7844]);

function geoEntries({ transform, crs }: GeoTiffImage): Entry[] {
  const entries: Entry[] = [];
  if (transform) {
    const [x, dx, rx, y, ry, dy] = transform;
    if (rx !== 0 || ry !== 0) throw new RangeError('a rotated transform cannot be written');
    entries.push({ tag: 33550, type: TYPE.double, values: [dx, -dy, 0] });
    entries.push({ tag: 33922, type: TYPE.double, values: [0, 0, 0, x, y, 0] });
  }
  const code = /^EPSG:(\d+)$/.exec(crs)?.[1];
  if (code) {
    const geographic = GEOGRAPHIC.has(Number(code));
    const keys = [
      [1024, 0, 1, geographic ? 2 : 1],
      [1025, 0, 1, 1],
      [geographic ? 2048 : 3072, 0, 1, Number(code)],
    ];
    entries.push({ tag: 34735, type: TYPE.short, values: [1, 1, 0, keys.length, ...keys.flat()] });
  } else if (crs !== 'none')
    throw new RangeError(`CRS "${crs}" cannot be written; EPSG:n or none was expected`);
  return entries;
}

function metadataEntries({ nodata, dateTime, ...image }: GeoTiffImage): Entry[] {
  const entries: Entry[] = [];
  const items = gdalItems(image);
  if (items) entries.push(text(42112, `<GDALMetadata>\n${items}</GDALMetadata>`));
  if (nodata !== undefined) entries.push(text(42113, String(nodata)));
  if (dateTime !== undefined) {
    const stamp = new Date(dateTime).toISOString().slice(0, 19);
    entries.push(text(306, stamp.replaceAll('-', ':').replace('T', ' ')));
  }
  return entries;
}

function gdalItems({ bands, scale, offset, bandNames, bandUnits }: Partial<GeoTiffImage>): string {
  const lines: string[] = [];
  const add = (name: string, sample: number, role: string, value: string | number) =>
    lines.push(
      `  <Item name="${name}" sample="${sample}" role="${role}">${escapeXml(String(value))}</Item>\n`,
    );
  for (let i = 0; i < (bands ?? 0); i++) {
    if (offset) add('OFFSET', i, 'offset', offset[i]);
    if (scale) add('SCALE', i, 'scale', scale[i]);
    if (bandUnits?.[i]) add('UNITTYPE', i, 'unittype', bandUnits[i]);
    if (bandNames?.[i]) add('DESCRIPTION', i, 'description', bandNames[i]);
  }
  return lines.join('');
}

const escapeXml = (value: string): string =>
  value.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);

const text = (tag: number, value: string): Entry => ({
  tag,
  type: TYPE.ascii,
  values: [...Buffer.from(value, 'latin1'), 0],
});

/** Header, directory, long values, then the blocks, whose offsets are known only now. */
function assemble(entries: readonly Entry[], blocks: readonly Uint8Array[]): Uint8Array {
  const directory = 8;
  let end = directory + 2 + entries.length * 12 + 4;
  const places = entries.map(({ type, values }) => {
    const bytes = TYPE_BYTES[type] * values.length;
    const place = bytes > 4 ? end : 0;
    if (bytes > 4) end += bytes + (bytes & 1);
    return place;
  });
  const starts = blocks.map((block) => {
    const start = end;
    end += block.byteLength + (block.byteLength & 1);
    return start;
  });
  const file = new Uint8Array(end);
  const view = new DataView(file.buffer);
  view.setUint16(0, 0x4949);
  view.setUint16(2, 42, true);
  view.setUint32(4, directory, true);
  view.setUint16(directory, entries.length, true);
  entries.forEach(({ tag, type, values }, i) => {
    const at = directory + 2 + i * 12;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, type, true);
    view.setUint32(at + 4, values.length, true);
    if (places[i]) view.setUint32(at + 8, places[i], true);
    const written = tag === 273 || tag === 324 ? starts : values;
    writeValues(view, places[i] || at + 8, type, written);
  });
  blocks.forEach((block, i) => {
    file.set(block, starts[i]);
  });
  return file;
}

function writeValues(view: DataView, at: number, type: number, values: readonly number[]): void {
  const step = TYPE_BYTES[type];
  values.forEach((value, i) => {
    const place = at + i * step;
    if (type === TYPE.short) view.setUint16(place, value, true);
    else if (type === TYPE.long) view.setUint32(place, value, true);
    else if (type === TYPE.double) view.setFloat64(place, value, true);
    else view.setUint8(place, value);
  });
}
