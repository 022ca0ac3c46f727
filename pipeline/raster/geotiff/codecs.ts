/** Decompression into a buffer of known size: a block that would give more bytes is refused, never inflated further. */
import { inflateSync } from 'node:zlib';
import { ZSTDDecoder } from 'zstddec';
import type { BlockLayout } from './header.js';

/** What a codec does: `size` bytes out of `bytes`, or an Error saying why not. */
export type Decompress = (bytes: Uint8Array, size: number) => Uint8Array;

let zstd: ZSTDDecoder | undefined;

export async function decompressor(compression: BlockLayout['compression']): Promise<Decompress> {
  if (compression === 'none') return (bytes, size) => whole(bytes.subarray(0, size), size);
  if (compression === 'lzw') return (bytes, size) => whole(lzw(bytes, size), size);
  if (compression === 'deflate')
    return (bytes, size) => whole(inflateSync(bytes, { maxOutputLength: size }), size);
  if (!zstd) {
    zstd = new ZSTDDecoder();
    await zstd.init();
  }
  const decoder = zstd;
  return (bytes, size) => {
    if (zstdContentSize(bytes) > size) throw new Error('it unpacks to more bytes than the block has');
    return whole(decoder.decode(bytes, size), size);
  };
}

function whole(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length < size) throw new Error(`it unpacks to ${bytes.length} of ${size} bytes`);
  return bytes;
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

const CLEAR = 256;
const END = 257;

/** TIFF LZW (TIFF 6.0, section 13): codes of 9 to 12 bits, most significant bit first, width grown one code early. */
export function lzw(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  const prefix = new Uint16Array(4096);
  const suffix = new Uint8Array(4096);
  const lengths = new Uint16Array(4096);
  for (let i = 0; i < 256; i++) {
    suffix[i] = i;
    lengths[i] = 1;
  }
  let [next, width, previous, at, bits, held, written] = [258, 9, -1, 0, 0, 0, 0];
  while (written < size) {
    while (bits < width && at < bytes.length) {
      held = ((held << 8) | bytes[at++]) & 0xffffff;
      bits += 8;
    }
    if (bits < width) break;
    const code = (held >> (bits - width)) & ((1 << width) - 1);
    bits -= width;
    if (code === END) break;
    if (code === CLEAR) {
      [next, width, previous] = [258, 9, -1];
      continue;
    }
    if (code > next || (code === next && previous < 0))
      throw new Error(`code ${code} is not in the table yet`);
    if (previous >= 0 && next < 4096) {
      prefix[next] = previous;
      lengths[next] = lengths[previous] + 1;
      suffix[next] = firstOf(code === next ? previous : code, prefix, lengths);
      next++;
    } else if (code >= next) throw new Error(`code ${code} is not in the table`);
    let [from, place] = [code, written + lengths[code] - 1];
    written += lengths[code];
    for (;;) {
      if (place < size) out[place] = suffix[from];
      if (lengths[from] === 1) break;
      from = prefix[from];
      place--;
    }
    previous = code;
    if (next >= (1 << width) - 1 && width < 12) width++;
  }
  return written >= size ? out : out.subarray(0, written);
}

function firstOf(code: number, prefix: Uint16Array, lengths: Uint16Array): number {
  let first = code;
  while (lengths[first] > 1) first = prefix[first];
  return first; // codes below 256 are their own byte
}
