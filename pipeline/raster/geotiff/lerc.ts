/**
 * LERC blocks (Esri's limited error raster compression), plain or inside Deflate or ZSTD; masked cells are nodata. Blobs of
 * one band, which most are, are unpacked by a kernel; all others, and those it will not have, by Esri's own decoder, which
 * gives the same numbers in several copies and says what is wrong with a blob.
 */
import { SOURCE_ARRAY, type SourceDtype } from '../map.js';
import type { BlockShape, Decompress } from './codecs.js';
import { type BlockLayout, dtypeBytes } from './layout.js';
import { RESERVE, type Scratch } from './scratch.js';

type Lerc = typeof import('lerc');

const TYPES: Record<string, SourceDtype> = {
  ...{ S8: 'i8', U8: 'u8', S16: 'i16', U16: 'u16', S32: 'i32', U32: 'u32', F32: 'f32', F64: 'f64' },
};
/** By the header's number of the type. */
const TYPE_ORDER: SourceDtype[] = ['i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'f32', 'f64'];

/** `unpack` takes the outer compression off. */
export async function lercDecoder(
  layout: BlockLayout,
  unpack: (bytes: Uint8Array, size: number) => Uint8Array,
): Promise<Decompress> {
  const lerc = await loadLerc();
  return (bytes, shape, scratchOf) => {
    // A LERC blob is at most its raw numbers, its mask and a header.
    const blob = layout.lercOuter === 'none' ? bytes : unpack(bytes, 2 * shape.size + 65_536);
    const soon = byKernel(blob, layout, shape, scratchOf);
    if (soon) return soon;
    checkHeader(lerc, blob, layout, shape);
    return numbers(lerc, blob, layout, shape);
  };
}

/** The block, in the scratch; null where the kernel leaves the blob to the library. */
function byKernel(
  blob: Uint8Array,
  { dtype, blockWidth, nodata }: BlockLayout,
  { rows, perCell, size }: BlockShape,
  scratchOf: () => Scratch,
): Uint8Array | null {
  if (perCell !== 1) return null;
  const { kernel, table, block, spare, bytes } = scratchOf();
  const mask = spare + blob.length + RESERVE;
  if (mask + (rows * blockWidth) / 8 + RESERVE > bytes.length) return null;
  bytes.set(blob, spare);
  const filler = dtype.startsWith('f') ? Number.NaN : nodata;
  const fills = filler !== null && SOURCE_ARRAY[dtype].of(filler)[0] === filler;
  const { lerc } = kernel.functions;
  const type = TYPE_ORDER.indexOf(dtype);
  const place = [spare, blob.length, block, rows, blockWidth, type, table, mask] as const;
  const done = lerc(...place, Number.isNaN(filler) || fills ? 1 : 0, filler ?? 0);
  return done ? bytes.subarray(block, block + size) : null;
}

/** Before anything is allocated for the block. */
function checkHeader(
  lerc: Lerc,
  blob: Uint8Array,
  { blockWidth, dtype }: BlockLayout,
  { rows }: BlockShape,
): void {
  const { width, height, depthCount, bandCount, dataType, blobSize } = lerc.getBlobInfo(blob);
  if (width !== blockWidth || height !== rows)
    throw new Error(`it holds ${width} x ${height} cells, the block has ${blockWidth} x ${rows}`);
  if (TYPE_ORDER[dataType] !== dtype) throw new Error(`it holds ${TYPE_ORDER[dataType]}, not ${dtype}`);
  if (depthCount * bandCount > 65_536) throw new Error(`it holds ${depthCount} x ${bandCount} bands`);
  if (blobSize > blob.length) throw new Error(`it ends after ${blob.length} of ${blobSize} bytes`);
}

/** `[rows, blockWidth, perCell]`; a mask beside 8-bit bands with one band to spare is that band (opacity). */
function numbers(
  lerc: Lerc,
  blob: Uint8Array,
  { dtype, nodata, alpha }: BlockLayout,
  { perCell, size }: BlockShape,
): Uint8Array {
  const { pixels, mask, bandMasks, depthCount, pixelType } = lerc.decode(blob, { returnInterleaved: true });
  const held = pixels.length * depthCount;
  const opacity = alpha !== null && held === perCell - 1;
  if (TYPES[pixelType] !== dtype || (held !== perCell && !opacity))
    throw new Error(`it holds ${held} bands of ${pixelType}, the block has ${perCell} of ${dtype}`);
  const out = new SOURCE_ARRAY[dtype](size / dtypeBytes(dtype));
  const cells = out.length / perCell;
  for (let band = 0; band < held; band++) {
    const [from, step, start] = depthCount > 1 ? [pixels[0], depthCount, band] : [pixels[band], 1, 0];
    for (let cell = 0; cell < cells; cell++) out[cell * perCell + band] = from[cell * step + start];
  }
  for (let band = 0; band < perCell; band++) {
    const seen = bandMasks?.[depthCount > 1 ? 0 : band] ?? mask;
    if (opacity && band === alpha)
      for (let cell = 0; cell < cells; cell++) out[cell * perCell + band] = !seen || seen[cell] ? 255 : 0;
    else if (seen && !opacity) hide(out, seen, perCell, band, dtype.startsWith('f') ? Number.NaN : nodata);
  }
  return new Uint8Array(out.buffer);
}

function hide(
  out: InstanceType<(typeof SOURCE_ARRAY)[SourceDtype]>,
  seen: Uint8Array,
  perCell: number,
  band: number,
  filler: number | null,
): void {
  for (let cell = 0; cell < seen.length; cell++) {
    if (seen[cell]) continue;
    if (filler === null)
      throw new Error('it masks cells of whole numbers, and the file has no nodata value to stand for them');
    out[cell * perCell + band] = filler;
  }
}

let loaded: Promise<Lerc> | undefined;

const loadLerc = (): Promise<Lerc> => (loaded ??= load());

/** The decoder's start code listens for errors of the whole process; those are none of its business. */
async function load(): Promise<Lerc> {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => process.listeners(event as 'uncaughtException'));
  const module = await import('lerc');
  const lerc = 'default' in module ? (module.default as Lerc) : module;
  await lerc.load();
  events.forEach((event, i) => {
    for (const listener of process.listeners(event as 'uncaughtException'))
      if (!before[i].includes(listener)) process.removeListener(event, listener);
  });
  return lerc;
}
