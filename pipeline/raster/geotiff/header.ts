/** What a GeoTIFF says about itself, checked against its own size and the limits before any pixel is touched. */
import type { Transform } from '../../../schemas/records/index.js';
import { BadRasterError } from '../../errors.js';
import type { ByteSource } from '../bytes.js';
import type { DecodeLimits } from '../limits.js';
import type { BandHeader, MapHeader, SourceDtype } from '../map.js';
import { bad, type Directory, readTiff } from './directory.js';
import { gdalItems } from './gdal.js';
import { georeference } from './georeference.js';

export interface GeoTiffHeader extends MapHeader {
  layout: BlockLayout;
}

/** How pixels lie in the file. */
export interface BlockLayout {
  littleEndian: boolean;
  dtype: SourceDtype;
  samples: number;
  /** Bands interleaved by pixel (1) or one after the other (2). */
  planar: 1 | 2;
  compression: 'none' | 'lzw' | 'deflate' | 'zstd';
  predictor: 1 | 2 | 3;
  blockWidth: number;
  blockHeight: number;
  tiled: boolean;
  offsets: number[];
  counts: number[];
}

const COMPRESSION: Record<number, BlockLayout['compression']> = {
  1: 'none',
  5: 'lzw',
  8: 'deflate',
  32946: 'deflate',
  50000: 'zstd',
};
const COMPRESSION_NAMES: Record<number, string> = {
  6: 'old JPEG',
  7: 'JPEG',
  32773: 'PackBits',
  34887: 'LERC',
  34925: 'LZMA',
  50001: 'WebP',
  50002: 'JPEG XL',
};

/** BadRasterError when the file is no map we can read; nothing of its pixels is read. */
export async function readGeoTiffHeader(source: ByteSource, limits: DecodeLimits): Promise<GeoTiffHeader> {
  const { littleEndian, pages } = await readTiff(source);
  const page = await onlyMap(source, pages);
  const width = await whole(source, page, 256, 'width');
  const height = await whole(source, page, 257, 'height');
  const samples = (await page.number(277)) ?? 1;
  const dtype = await sampleType(source, page, samples);
  checkSize(source, { width, height, samples, dtype }, limits);
  const layout = await blockLayout(source, page, { littleEndian, width, height, samples, dtype });
  const { transform, crs } = await georeference(page);
  if (transform && !isInvertible(transform))
    throw bad(source, `its transform is [${transform.join(', ')}]`, 'cells of a finite size above 0');
  const { items, bands: described } = gdalItems(await page.text(42112));
  const nodata = parseNodata(await page.text(42113), dtype);
  const bands = Array.from({ length: samples }, (_, i): BandHeader => {
    const { name = null, unit = null, scale = 1, offset = 0 } = described[i] ?? {};
    return { name, unit, dtype, scale, offset, nodata, selector: i };
  });
  const timeText = items.get('TIME') ?? items.get('time') ?? (await page.text(306)) ?? null;
  return { width, height, transform, crs, bands, times: null, timeText, layout };
}

/** The one full-resolution page; overviews and masks are passed over. */
async function onlyMap(source: ByteSource, pages: Directory[]): Promise<Directory> {
  const full: Directory[] = [];
  for (const page of pages) if ((((await page.number(254)) ?? 0) & 5) === 0) full.push(page);
  if (full.length === 1) return full[0];
  throw bad(source, `it holds ${full.length} full-resolution pages`, 'one map a file');
}

async function whole(source: ByteSource, page: Directory, tag: number, name: string): Promise<number> {
  const value = await page.number(tag);
  if (value !== undefined && Number.isInteger(value) && value > 0) return value;
  throw bad(source, `its ${name} is ${value ?? 'missing'}`, 'a whole number of cells');
}

async function sampleType(source: ByteSource, page: Directory, samples: number): Promise<SourceDtype> {
  const bits = (await page.numbers(258)) ?? [1];
  const formats = (await page.numbers(339)) ?? [1];
  const [bit, format] = [bits[0], formats[0]];
  if (samples > 1 && (bits.some((b) => b !== bit) || formats.some((f) => f !== format)))
    throw bad(source, 'its bands have different types', 'bands of one type');
  const name = `${format === 1 ? 'u' : format === 2 ? 'i' : 'f'}${bit}`;
  if (/^(u8|i8|u16|i16|u32|i32|f32|f64)$/.test(name) && [1, 2, 3].includes(format))
    return name as SourceDtype;
  throw bad(
    source,
    `its samples have ${bit} bits of format ${format}`,
    '8, 16 or 32 bit integers, 32 or 64 bit floats',
  );
}

export const dtypeBytes = (dtype: SourceDtype): number => Number(dtype.slice(1)) / 8;

function checkSize(
  source: ByteSource,
  { width, height, samples, dtype }: { width: number; height: number; samples: number; dtype: SourceDtype },
  limits: DecodeLimits,
): void {
  const bytes = width * height * samples * dtypeBytes(dtype);
  const over =
    samples < 1 || samples > limits.bands
      ? `${samples} bands, ${limits.bands} are allowed`
      : width * height > limits.cells
        ? `${width} x ${height} cells, ${limits.cells} are allowed`
        : bytes > limits.decodedBytes
          ? `${bytes} bytes when decoded, ${limits.decodedBytes} are allowed`
          : null;
  if (over === null) return;
  throw new BadRasterError(`${source.path} claims ${over}`, {
    hint: 'cut the map into smaller files first (gdal_translate -srcwin), or leave the file out with --on-bad-frame skip',
    fields: { path: source.path, width, height, samples, bytes },
  });
}

async function blockLayout(
  source: ByteSource,
  page: Directory,
  shape: Pick<BlockLayout, 'littleEndian' | 'samples' | 'dtype'> & { width: number; height: number },
): Promise<BlockLayout> {
  const { width, height, samples, dtype, littleEndian } = shape;
  const code = (await page.number(259)) ?? 1;
  const compression = COMPRESSION[code];
  if (!compression)
    throw new BadRasterError(
      `cannot read ${source.path}: ${COMPRESSION_NAMES[code] ?? `compression ${code}`} is not supported`,
      {
        hint: `gdal_translate -co COMPRESS=DEFLATE ${source.path} copy.tif`,
        fields: { path: source.path, compression: code },
      },
    );
  const predictor = ((await page.number(317)) ?? 1) as 1 | 2 | 3;
  const floating = dtype.startsWith('f');
  if (![1, 2, 3].includes(predictor) || (predictor === 3 && !floating) || (predictor === 2 && floating))
    throw bad(source, `it has predictor ${predictor} on ${dtype}`, '1, 2 for integers, or 3 for floats');
  const planar = ((await page.number(284)) ?? 1) as 1 | 2;
  const tiled = (await page.numbers(322)) !== undefined;
  const blockWidth = tiled ? await whole(source, page, 322, 'tile width') : width;
  const blockHeight = tiled
    ? await whole(source, page, 323, 'tile height')
    : Math.min((await page.number(278)) ?? height, height);
  const offsets = (await page.numbers(tiled ? 324 : 273)) ?? [];
  const counts = (await page.numbers(tiled ? 325 : 279)) ?? [];
  const across = Math.ceil(width / blockWidth);
  const down = Math.ceil(height / blockHeight);
  const expected = across * down * (planar === 2 ? samples : 1);
  if (!(blockHeight > 0) || offsets.length !== expected || counts.length !== expected)
    throw bad(
      source,
      `it lists ${offsets.length} offsets and ${counts.length} sizes of blocks`,
      `${expected} of each`,
    );
  if (blockWidth * blockHeight * samples * dtypeBytes(dtype) > 2 ** 28)
    throw bad(source, `one block has ${blockWidth} x ${blockHeight} cells`, 'blocks of at most 256 MiB');
  const outside = offsets.findIndex((offset, i) => offset + counts[i] > source.size);
  if (outside >= 0)
    throw bad(
      source,
      `block ${outside} reaches byte ${offsets[outside] + counts[outside]} of ${source.size}`,
      'blocks inside the file',
    );
  return {
    littleEndian,
    dtype,
    samples,
    planar,
    compression,
    predictor,
    blockWidth,
    blockHeight,
    tiled,
    offsets,
    counts,
  };
}

const isInvertible = ([x, a, b, y, d, e]: Transform): boolean =>
  [x, a, b, y, d, e].every(Number.isFinite) && a * e - b * d !== 0;

/** The nodata value as the samples can hold it: the text has more digits than a 32-bit float. */
function parseNodata(text: string | undefined, dtype: SourceDtype): number | null {
  if (text === undefined || text.trim() === '') return null;
  const value = Number(text.trim().replace(/^nan$/i, 'NaN'));
  return dtype === 'f32' ? Math.fround(value) : value;
}
