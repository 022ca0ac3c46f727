/** How the pixels of one page lie in the file, checked against its size before any is touched. */
import { BadRasterError } from '../../errors.js';
import type { ByteSource } from '../bytes.js';
import type { SourceDtype } from '../map.js';
import { bad, type Directory } from './directory.js';

export type Compression = 'none' | 'lzw' | 'deflate' | 'zstd' | 'packbits' | 'lerc' | 'jpeg' | 'webp';

export interface BlockLayout {
  littleEndian: boolean;
  dtype: SourceDtype;
  /** Bits of one number in the file: those of `dtype`, or 1, 2 or 4, which are read as `u8`. */
  bits: number;
  samples: number;
  /** Bands interleaved by pixel (1) or one after the other (2). */
  planar: 1 | 2;
  compression: Compression;
  predictor: 1 | 2 | 3;
  /** TIFF's number of the colour model; 6 is YCbCr. */
  photometric: number;
  /** JPEG tables that all blocks share. */
  jpegTables: Uint8Array | null;
  /** What lies around LERC blocks. */
  lercOuter: 'none' | 'deflate' | 'zstd';
  /** What stands for a cell without a value, and fills blocks that are left out. */
  nodata: number | null;
  /** The sample that is opacity, not a band. */
  alpha: number | null;
  blockWidth: number;
  blockHeight: number;
  tiled: boolean;
  offsets: number[];
  counts: number[];
}

const COMPRESSION: Record<number, Compression> = {
  1: 'none',
  5: 'lzw',
  7: 'jpeg',
  8: 'deflate',
  32773: 'packbits',
  32946: 'deflate',
  34887: 'lerc',
  50000: 'zstd',
  50001: 'webp',
};
const COMPRESSION_NAMES: Record<number, string> = {
  2: 'CCITT',
  3: 'CCITT fax 3',
  4: 'CCITT fax 4',
  6: 'old JPEG',
  34712: 'JPEG 2000',
  34925: 'LZMA',
  50002: 'JPEG XL',
  52546: 'JPEG XL',
};
/** Codecs that a predictor may come before. */
const PREDICTED: ReadonlySet<Compression> = new Set(['lzw', 'deflate', 'zstd']);
const LERC_OUTER = ['none', 'deflate', 'zstd'] as const;
const MOST_BLOCK_BYTES = 2 ** 28;

/** BadRasterError when the page is none we can read. */
export async function readLayout(
  source: ByteSource,
  page: Directory,
  { width, height, samples, littleEndian, nodata = null, alpha = null }: PageShape,
): Promise<BlockLayout> {
  const { dtype, bits } = await sampleType(source, page, samples);
  const compression = await readCompression(source, page);
  const planar = ((await page.number(284)) ?? 1) === 2 && samples > 1 ? 2 : 1;
  const tiled = (await page.numbers(322)) !== undefined;
  const blockWidth = tiled ? await wholeNumber(source, page, 322, 'tile width') : width;
  const rows = tiled ? await wholeNumber(source, page, 323, 'tile height') : await page.number(278);
  const blockHeight = tiled ? rows! : Math.min(rows ?? height, height);
  const offsets = (await page.numbers(tiled ? 324 : 273)) ?? [];
  const counts = (await page.numbers(tiled ? 325 : 279)) ?? [];
  const layout = {
    ...{ littleEndian, dtype, bits, samples, planar, compression, blockWidth, blockHeight, tiled },
    ...{ offsets, counts, nodata, alpha },
    predictor: PREDICTED.has(compression) ? await readPredictor(source, page, dtype, bits) : 1,
    photometric: (await page.number(262)) ?? 1,
    jpegTables: compression === 'jpeg' ? ((await page.bytes(347)) ?? null) : null,
    lercOuter: compression === 'lerc' ? await lercOuter(source, page) : 'none',
  } satisfies BlockLayout;
  checkBlocks(source, layout, width, height);
  return layout;
}

interface PageShape {
  width: number;
  height: number;
  samples: number;
  littleEndian: boolean;
  nodata?: number | null;
  alpha?: number | null;
}

export const dtypeBytes = (dtype: SourceDtype): number => Number(dtype.slice(1)) / 8;

/** A tag that counts cells. */
export async function wholeNumber(
  source: ByteSource,
  page: Directory,
  tag: number,
  name: string,
): Promise<number> {
  const value = await page.number(tag);
  if (value !== undefined && Number.isInteger(value) && value > 0) return value;
  throw bad(source, `its ${name} is ${value ?? 'missing'}`, 'a whole number of cells');
}

/** Numbers of 1, 2 and 4 bits are read as bytes. */
export async function sampleType(
  source: ByteSource,
  page: Directory,
  samples: number,
): Promise<{ dtype: SourceDtype; bits: number }> {
  const allBits = (await page.numbers(258)) ?? [1];
  const formats = (await page.numbers(339)) ?? [1];
  const [bits, format] = [allBits[0], formats[0]];
  if (samples > 1 && (allBits.some((b) => b !== bits) || formats.some((f) => f !== format)))
    throw bad(source, 'its bands have different types', 'bands of one type');
  const name = `${format === 2 ? 'i' : format === 3 ? 'f' : 'u'}${bits}`;
  if ([1, 2, 3, 4].includes(format)) {
    if (/^(u8|i8|u16|i16|u32|i32|f32|f64)$/.test(name)) return { dtype: name as SourceDtype, bits };
    if (/^u[124]$/.test(name)) return { dtype: 'u8', bits };
  }
  const what = format === 5 || format === 6 ? 'complex numbers' : `${bits} bits of format ${format}`;
  throw new BadRasterError(
    `cannot read ${source.path}: its samples have ${what}; integers of 1 to 32 bits or floats of 32 or 64 bits were expected`,
    {
      hint: `gdal_translate -ot Float32 ${source.path} copy.tif`,
      fields: { path: source.path, bits, format },
    },
  );
}

async function readCompression(source: ByteSource, page: Directory): Promise<Compression> {
  const code = (await page.number(259)) ?? 1;
  if (COMPRESSION[code]) return COMPRESSION[code];
  throw new BadRasterError(
    `cannot read ${source.path}: ${COMPRESSION_NAMES[code] ?? `compression ${code}`} is not supported`,
    {
      hint: `gdal_translate -co COMPRESS=DEFLATE ${source.path} copy.tif`,
      fields: { path: source.path, compression: code },
    },
  );
}

async function readPredictor(source: ByteSource, page: Directory, dtype: SourceDtype, bits: number) {
  const predictor = (await page.number(317)) ?? 1;
  if (predictor === 1 || (predictor === 2 && bits >= 8) || (predictor === 3 && dtype.startsWith('f')))
    return predictor as 1 | 2 | 3;
  throw bad(source, `it has predictor ${predictor} on ${bits} bits of ${dtype}`, '1, 2, or 3 for floats');
}

async function lercOuter(source: ByteSource, page: Directory): Promise<BlockLayout['lercOuter']> {
  const [, outer = 0] = (await page.numbers(50674)) ?? [];
  if (LERC_OUTER[outer]) return LERC_OUTER[outer];
  throw bad(source, `its LERC blocks lie in compression ${outer}`, 'none (0), Deflate (1) or ZSTD (2)');
}

/** Bytes of a row of a block in the file. */
export const rowBytes = ({ blockWidth, bits }: BlockLayout, perCell: number): number =>
  Math.ceil((blockWidth * perCell * bits) / 8);

function checkBlocks(source: ByteSource, layout: BlockLayout, width: number, height: number): void {
  const { blockWidth, blockHeight, planar, samples, dtype, offsets, counts } = layout;
  const expected =
    Math.ceil(width / blockWidth) * Math.ceil(height / blockHeight) * (planar === 2 ? samples : 1);
  if (!(blockHeight > 0) || offsets.length !== expected || counts.length !== expected)
    throw bad(
      source,
      `it lists ${offsets.length} offsets and ${counts.length} sizes of blocks`,
      `${expected} of each`,
    );
  if (blockWidth * blockHeight * samples * dtypeBytes(dtype) > MOST_BLOCK_BYTES)
    throw bad(source, `one block has ${blockWidth} x ${blockHeight} cells`, 'blocks of at most 256 MiB');
  const outside = offsets.findIndex((offset, i) => !(offset + counts[i] <= source.size));
  if (outside >= 0)
    throw bad(
      source,
      `block ${outside} reaches byte ${offsets[outside] + counts[outside]} of ${source.size}`,
      'blocks inside the file',
    );
}
