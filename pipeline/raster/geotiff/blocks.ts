/** Blocks of one page -> its bands, each `[height * width]`, stored units. */
import { setImmediate } from 'node:timers/promises';
import { giveBuffer, takeBuffer } from '../../buffers.js';
import { BadRasterError } from '../../errors.js';
import type { ByteSource } from '../bytes.js';
import { SOURCE_ARRAY, type SourceArray } from '../map.js';
import { type BlockShape, type Decompress, decompressor } from './codecs.js';
import { type BlockLayout, dtypeBytes, rowBytes } from './layout.js';
import { type Scratch, takeScratch } from './scratch.js';

/** Bytes of strips that are read as one. */
const MOST_JOINED = 32 * 2 ** 20;

/** After so long, what waits beside a map has its turn: a file that is read ahead, a call to stop. */
const TURN_MS = 2;

interface Wanted {
  width: number;
  height: number;
  /** Samples, in the order of the result. */
  wanted: readonly number[];
}

/**
 * BadRasterError names the block that cannot be decoded. Blocks that a sparse file leaves out are nodata, or 0. The arrays
 * are lent: who is done with one may give its buffer back.
 */
export async function decodeBlocks(
  source: ByteSource,
  layout: BlockLayout,
  { width, height, wanted }: Wanted,
): Promise<SourceArray[]> {
  const cells = width * height;
  const buffers = wanted.map(() => takeBuffer(cells * dtypeBytes(layout.dtype)));
  const out = buffers.map((buffer) => new SOURCE_ARRAY[layout.dtype](buffer));
  try {
    await fillPlanes(source, asOneStrip(layout, width, height), { width, height, wanted }, out);
    return out;
  } catch (error) {
    buffers.forEach(giveBuffer);
    throw error;
  }
}

/** Strips as they are mostly written, plain and one after the other, are read as one. */
function asOneStrip(layout: BlockLayout, width: number, height: number): BlockLayout {
  const { compression, tiled, planar, bits, offsets, counts, samples, dtype, blockHeight } = layout;
  const rowSize = width * samples * dtypeBytes(dtype);
  const size = height * rowSize;
  const apart =
    compression !== 'none' || tiled || planar === 2 || bits < 8 || offsets.length < 2 || size > MOST_JOINED;
  if (apart || offsets[0] === 0) return layout;
  const joins = offsets.every((offset, i) => {
    const bytes = Math.min(blockHeight, height - i * blockHeight) * rowSize;
    return offset === offsets[0] + i * blockHeight * rowSize && counts[i] === bytes;
  });
  return joins ? { ...layout, blockHeight: height, offsets: [offsets[0]], counts: [size] } : layout;
}

async function fillPlanes(
  source: ByteSource,
  layout: BlockLayout,
  { width, height, wanted }: Wanted,
  out: readonly SourceArray[],
): Promise<void> {
  const { planar, blockWidth, blockHeight } = layout;
  const decompress = await decompressor(layout);
  const across = Math.ceil(width / blockWidth);
  const down = Math.ceil(height / blockHeight);
  const planes = planar === 2 ? wanted.map((sample) => [sample]) : [wanted];
  let turned = performance.now();
  for (const [place, samples] of planes.entries()) {
    const targets = planar === 2 ? [out[place]] : out;
    const first = planar === 2 ? samples[0] * across * down : 0;
    for (let number = 0; number < across * down; number++) {
      const [top, left] = [Math.floor(number / across) * blockHeight, (number % across) * blockWidth];
      const part = { top, left, width, height };
      if (isLeftOut(layout, first + number)) fillPart(targets, layout, part);
      else await decodeBlock(source, layout, first + number, { decompress, part, samples, targets });
      if (performance.now() - turned < TURN_MS) continue;
      await setImmediate();
      turned = performance.now();
    }
  }
}

const isLeftOut = ({ offsets, counts }: BlockLayout, number: number): boolean =>
  offsets[number] === 0 && counts[number] === 0;

/** Where a block goes. */
interface Task {
  decompress: Decompress;
  part: Part;
  samples: readonly number[];
  targets: readonly SourceArray[];
}

/** Maps share one scratch: from the moment it is taken until the numbers are in their bands nothing waits. */
async function decodeBlock(
  source: ByteSource,
  layout: BlockLayout,
  number: number,
  { decompress, part, samples, targets }: Task,
): Promise<void> {
  const perCell = layout.planar === 2 ? 1 : layout.samples;
  const rows = layout.tiled ? layout.blockHeight : Math.min(layout.blockHeight, part.height - part.top);
  const shape: BlockShape = { rows, perCell, size: rows * rowBytes(layout, perCell) };
  const packed = await source.read(layout.offsets[number], layout.counts[number]);
  const room = Math.max(packed.length, rows * layout.blockWidth * perCell * dtypeBytes(layout.dtype));
  let scratch: Scratch | undefined;
  const scratchOf = () => (scratch ??= takeScratch(room));
  try {
    const soon = decompress(packed, shape, scratchOf);
    const unpacked = soon instanceof Promise ? await soon : soon;
    const block = undone(unpacked.subarray(0, shape.size), layout, shape, scratchOf);
    for (const [i, target] of targets.entries())
      copyPart(layout.planar === 2 ? block.only() : block.sample(samples[i]), target, layout, part);
  } catch (cause) {
    throw corrupt(source, layout, number, cause as Error);
  }
}

/** Numbers of a block as bytes in the machine's order, `[rows, blockWidth]`; lent until the next call. */
interface Block {
  /** Where a cell holds one number. */
  only(): Uint8Array;
  sample(number: number): Uint8Array;
}

function corrupt(
  source: ByteSource,
  { compression }: BlockLayout,
  block: number,
  cause: Error,
): BadRasterError {
  return new BadRasterError(
    `cannot read ${source.path}: block ${block} (${compression}) is corrupt: ${cause.message}`,
    {
      hint: 'get the file again, or leave it out with --on-bad-frame skip',
      cause,
      fields: { path: source.path, block },
    },
  );
}

/** Byte order and predictor undone. Bytes that need none of it are taken as they are. */
function undone(
  unpacked: Uint8Array,
  layout: BlockLayout,
  shape: BlockShape,
  scratchOf: () => Scratch,
): Block {
  const { predictor, littleEndian, dtype, bits, blockWidth } = layout;
  const size = dtypeBytes(dtype);
  const swaps = size > 1 && !littleEndian && predictor !== 3;
  const predicted = predictor !== 1;
  if (bits < 8) return sampleOf(spread(unpacked, layout, shape), layout, shape, scratchOf);
  if (!swaps && !predicted) return sampleOf(unpacked, layout, shape, scratchOf);
  const { kernel, block, spare, bytes } = scratchOf();
  if (unpacked.buffer !== bytes.buffer) bytes.set(unpacked, block);
  const own = bytes.subarray(block, block + shape.size);
  if (swaps) swapBytes(own, size);
  if (!predicted) return sampleOf(own, layout, shape, scratchOf);
  const { rows, perCell } = shape;
  const cells = blockWidth * perCell;
  if (predictor === 2) {
    kernel.functions.accumulate(block, rows, cells * size, size, perCell);
    return sampleOf(own, layout, shape, scratchOf);
  }
  kernel.functions.accumulate(block, rows, cells * size, 1, perCell);
  kernel.functions.mergePlanes(block, spare, rows, cells, size);
  return sampleOf(bytes.subarray(spare, spare + shape.size), layout, shape, scratchOf);
}

function swapBytes(bytes: Uint8Array, size: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (size === 2) buffer.swap16();
  else if (size === 4) buffer.swap32();
  else buffer.swap64();
}

/** Numbers of 1, 2 or 4 bits as bytes; each row of a block starts with a new byte. */
function spread(packed: Uint8Array, layout: BlockLayout, { rows, perCell }: BlockShape): Uint8Array {
  const { bits, blockWidth } = layout;
  const across = blockWidth * perCell;
  const step = rowBytes(layout, perCell);
  const out = new Uint8Array(rows * across);
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < across; i++) {
      const byte = packed[row * step + ((i * bits) >> 3)];
      out[row * across + i] = (byte >> (8 - bits - ((i * bits) & 7))) & ((1 << bits) - 1);
    }
  return out;
}

/** Takes bands apart: the numbers lie in one place of the scratch, a band goes to the other. */
function sampleOf(
  numbers: Uint8Array,
  { dtype, blockWidth }: BlockLayout,
  { rows, perCell }: BlockShape,
  scratchOf: () => Scratch,
): Block {
  const only = () => numbers;
  if (perCell === 1) return { only, sample: only };
  const { kernel, block, spare, bytes } = scratchOf();
  let from = numbers.byteOffset;
  if (numbers.buffer !== bytes.buffer) {
    bytes.set(numbers, block);
    from = block;
  }
  const to = from === block ? spare : block;
  const size = dtypeBytes(dtype);
  const cells = rows * blockWidth;
  return {
    only,
    sample(number) {
      kernel.functions.pickSample(from, to, cells, size, perCell, number);
      return bytes.subarray(to, to + cells * size);
    },
  };
}

interface Part {
  top: number;
  left: number;
  width: number;
  height: number;
}

/** What of a block lies on the map. */
function copyPart(
  block: Uint8Array,
  target: SourceArray,
  { blockWidth, blockHeight, dtype }: BlockLayout,
  { top, left, width, height }: Part,
): void {
  const size = dtypeBytes(dtype);
  const bytes = new Uint8Array(target.buffer);
  const rows = Math.min(blockHeight, height - top);
  const columns = Math.min(blockWidth, width - left);
  if (blockWidth === width) {
    bytes.set(block.subarray(0, rows * width * size), top * width * size);
    return;
  }
  for (let row = 0; row < rows; row++) {
    const from = row * blockWidth * size;
    bytes.set(block.subarray(from, from + columns * size), ((top + row) * width + left) * size);
  }
}

function fillPart(
  targets: readonly SourceArray[],
  { blockWidth, blockHeight, nodata }: BlockLayout,
  { top, left, width, height }: Part,
): void {
  const columns = Math.min(blockWidth, width - left);
  for (const target of targets)
    for (let row = top; row < Math.min(top + blockHeight, height); row++)
      target.fill(nodata ?? 0, row * width + left, row * width + left + columns);
}
