/** Blocks of a GeoTIFF -> bands in the file's own type. */
import { BadRasterError } from '../../errors.js';
import type { ByteSource } from '../bytes.js';
import { SOURCE_ARRAY, type SourceArray } from '../map.js';
import { type Decompress, decompressor } from './codecs.js';
import { bad } from './directory.js';
import { type BlockLayout, dtypeBytes, type GeoTiffHeader } from './header.js';

/** The wanted bands, each `[height * width]`, stored units. BadRasterError names the block that cannot be decoded. */
export async function decodeGeoTiff(
  source: ByteSource,
  { width, height, layout }: GeoTiffHeader,
  wanted: readonly number[],
): Promise<SourceArray[]> {
  const missing = wanted.find((band) => band >= layout.samples);
  if (missing !== undefined) throw bad(source, `it has ${layout.samples} bands`, `a band ${missing + 1}`);
  const out = wanted.map(() => new SOURCE_ARRAY[layout.dtype](width * height));
  const decompress = await decompressor(layout.compression);
  const across = Math.ceil(width / layout.blockWidth);
  const down = Math.ceil(height / layout.blockHeight);
  const planes = layout.planar === 2 ? layout.samples : 1;
  for (let plane = 0; plane < planes; plane++) {
    const bands = wanted
      .map((band, i) => ({ target: out[i], sample: layout.planar === 2 ? 0 : band, band }))
      .filter(({ band }) => layout.planar === 1 || band === plane);
    if (bands.length === 0) continue;
    for (let number = 0; number < across * down; number++) {
      const top = Math.floor(number / across) * layout.blockHeight;
      const left = (number % across) * layout.blockWidth;
      const block = await readBlock(source, layout, plane * across * down + number, height - top, decompress);
      for (const { target, sample } of bands)
        copyBlock(block, layout, { target, sample, top, left, width, height });
    }
  }
  return out;
}

/** One block as samples in machine order; `[rows, blockWidth, samples]`. */
async function readBlock(
  source: ByteSource,
  layout: BlockLayout,
  number: number,
  rowsLeft: number,
  decompress: Decompress,
): Promise<SourceArray> {
  const perCell = layout.planar === 2 ? 1 : layout.samples;
  const rows = layout.tiled ? layout.blockHeight : Math.min(layout.blockHeight, rowsLeft);
  const width = layout.blockWidth * perCell;
  const size = rows * width * dtypeBytes(layout.dtype);
  const [offset, count] = [layout.offsets[number], layout.counts[number]];
  const empty = new SOURCE_ARRAY[layout.dtype](rows * width);
  if (offset === 0 && count === 0) return empty; // a sparse file leaves blocks of zeros out
  const packed = await source.read(offset, count);
  let bytes: Uint8Array;
  try {
    bytes = decompress(packed, size);
  } catch (cause) {
    throw new BadRasterError(
      `cannot read ${source.path}: block ${number} (${layout.compression}) is corrupt: ${(cause as Error).message}`,
      {
        hint: 'get the file again, or leave it out with --on-bad-frame skip',
        cause,
        fields: { path: source.path, block: number },
      },
    );
  }
  const own = new Uint8Array(size);
  own.set(bytes.subarray(0, size));
  if (layout.predictor === 3) return floatPredictor(own, layout, rows, perCell);
  if (!layout.littleEndian) swapBytes(own, dtypeBytes(layout.dtype));
  const samples = new SOURCE_ARRAY[layout.dtype](own.buffer);
  if (layout.predictor === 2) accumulate(samples, rows, width, perCell);
  return samples;
}

function swapBytes(bytes: Uint8Array, size: number): void {
  const buffer = Buffer.from(bytes.buffer);
  if (size === 2) buffer.swap16();
  else if (size === 4) buffer.swap32();
  else if (size === 8) buffer.swap64();
}

/** Undoes horizontal differencing (TIFF 6.0, section 14). */
function accumulate(samples: SourceArray, rows: number, width: number, step: number): void {
  for (let row = 0; row < rows; row++)
    for (let i = row * width + step; i < (row + 1) * width; i++) samples[i] += samples[i - step];
}

/** Undoes the floating point predictor (Adobe technical note 3): bytes of a row, most significant plane first. */
function floatPredictor(bytes: Uint8Array, layout: BlockLayout, rows: number, step: number): SourceArray {
  const size = dtypeBytes(layout.dtype);
  const cells = layout.blockWidth * step;
  const out = new Uint8Array(bytes.length);
  for (let row = 0; row < rows; row++) {
    const from = bytes.subarray(row * cells * size, (row + 1) * cells * size);
    for (let i = step; i < from.length; i++) from[i] = (from[i] + from[i - step]) & 255;
    for (let cell = 0; cell < cells; cell++)
      for (let b = 0; b < size; b++)
        out[(row * cells + cell) * size + (size - 1 - b)] = from[b * cells + cell];
  }
  return new SOURCE_ARRAY[layout.dtype](out.buffer);
}

interface Target {
  target: SourceArray;
  sample: number;
  top: number;
  left: number;
  width: number;
  height: number;
}

function copyBlock(
  block: SourceArray,
  { blockWidth, blockHeight, planar, samples }: BlockLayout,
  { target, sample, top, left, width, height }: Target,
): void {
  const step = planar === 2 ? 1 : samples;
  const rows = Math.min(blockHeight, height - top);
  const columns = Math.min(blockWidth, width - left);
  for (let row = 0; row < rows; row++) {
    const to = (top + row) * width + left;
    const from = row * blockWidth * step + sample;
    for (let column = 0; column < columns; column++) target[to + column] = block[from + column * step];
  }
}
