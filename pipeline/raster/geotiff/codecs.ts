/** Decompression into a buffer of known size: a block that would give more bytes is refused, never inflated further. */
import { inflateSync } from 'node:zlib';
import { type Unzstd, zstdDecoder } from '../zstd.js';
import type { BlockLayout } from './layout.js';
import { lercDecoder } from './lerc.js';
import { pictureDecoder } from './pictures.js';
import type { Scratch } from './scratch.js';

/** What one block holds when unpacked: `[rows, blockWidth, cell numbers]`. */
export interface BlockShape {
  rows: number;
  /** Numbers in a cell: bands, or 1 where they lie one after the other. */
  perCell: number;
  /** Bytes of all of it. */
  size: number;
}

/** At least `size` bytes out of `bytes` (lent until the next call), or an Error saying why not. */
export type Decompress = (
  bytes: Uint8Array,
  shape: BlockShape,
  scratchOf: () => Scratch,
) => Uint8Array | Promise<Uint8Array>;

export async function decompressor(layout: BlockLayout): Promise<Decompress> {
  switch (layout.compression) {
    case 'none':
      return (bytes, { size }) => whole(bytes, size);
    case 'lzw':
      return (bytes, { size }, scratchOf) => whole(lzw(bytes, size, scratchOf()), size);
    case 'deflate':
      return (bytes, { size }) => whole(inflate(bytes, size), size);
    case 'packbits':
      return (bytes, { size }) => whole(packBits(bytes, size), size);
    case 'zstd': {
      const unpack = await unzstd();
      return (bytes, { size }) => whole(unpack(bytes, size), size);
    }
    case 'lerc':
      return lercDecoder(layout, layout.lercOuter === 'zstd' ? await unzstd() : inflate);
    default:
      return pictureDecoder(layout);
  }
}

function whole(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length < size) throw new Error(`it unpacks to ${bytes.length} of ${size} bytes`);
  return bytes;
}

/** One piece of output as large as the block: pieces of the usual size would be copied together. */
export const inflate = (bytes: Uint8Array, size: number): Uint8Array =>
  inflateSync(bytes, { chunkSize: size + 64, maxOutputLength: size });

/** A frame that declares more than the block has is refused before it is unpacked. */
async function unzstd(): Promise<Unzstd> {
  const unpack = await zstdDecoder();
  return (bytes, size) => {
    if (zstdContentSize(bytes) > size) throw new Error('it unpacks to more bytes than the block has');
    return unpack(bytes, size);
  };
}

/** The size a Zstandard frame declares (RFC 8878, section 3.1.1.1); 0 when it declares none. */
function zstdContentSize(bytes: Uint8Array): number {
  if (bytes.length < 6 || bytes[0] !== 0x28 || bytes[1] !== 0xb5 || bytes[2] !== 0x2f || bytes[3] !== 0xfd)
    throw new Error('it is no Zstandard frame');
  const descriptor = bytes[4];
  const single = (descriptor >> 5) & 1;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3];
  const sizeBytes = [single, 2, 4, 8][descriptor >> 6];
  let at = 5 + (single ? 0 : 1) + dictionaryBytes;
  let size = 0;
  for (let i = 0; i < sizeBytes; i++, at++) size += (bytes[at] ?? 0) * 256 ** i;
  return sizeBytes === 2 ? size + 256 : size;
}

/** The packed bytes wait where the unpacked ones of a later step go. */
function lzw(packed: Uint8Array, size: number, { kernel, table, block, spare, bytes }: Scratch): Uint8Array {
  bytes.set(packed, spare);
  const written = kernel.functions.lzw(spare, packed.length, block, size, table);
  if (written < 0) throw new Error('a code is not in the table');
  return bytes.subarray(block, block + written);
}

/** PackBits (TIFF 6.0, section 9): a count byte, then that many bytes, or one byte that is repeated. */
export function packBits(packed: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  let [at, written] = [0, 0];
  while (written < size && at < packed.length) {
    const count = packed[at++];
    if (count === 128) continue;
    const length = Math.min(count < 128 ? count + 1 : 257 - count, size - written);
    if (count < 128) {
      const run = packed.subarray(at, at + length);
      out.set(run, written);
      written += run.length;
      at += count + 1;
    } else {
      if (at >= packed.length) break;
      out.fill(packed[at++], written, written + length);
      written += length;
    }
  }
  return out.subarray(0, written);
}
