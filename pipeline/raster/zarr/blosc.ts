/**
 * The container of c-blosc 1 (README_CHUNK_FORMAT of c-blosc): blocks, each cut into streams of one codec, then shuffled. The
 * WebAssembly builds of c-blosc drop its return code, so that a cut or spoilt chunk would come back as whatever lay in
 * memory: here every stream must unpack to exactly its size.
 */
import { inflateSync } from 'node:zlib';

/** Exactly `size` bytes out of a stream, or an Error. */
export type Unpack = (bytes: Uint8Array, size: number) => Uint8Array | Promise<Uint8Array>;

export interface BloscCodecs {
  lz4: Unpack;
  zstd: Unpack;
}

const HEADER_BYTES = 16;
const SHUFFLED = 1;
const STORED = 2;
const BIT_SHUFFLED = 4;
const NOT_SPLIT = 16;
/** A block of fewer cells than this, or of wider cells, is one stream. */
const LEAST_SPLIT = 128;
const MOST_SPLITS = 16;

interface Header {
  flags: number;
  typeBytes: number;
  /** Bytes when unpacked, of one block, and of all of it packed. */
  size: number;
  blockSize: number;
  packed: number;
}

/** At most `most` bytes. Error: it says that it unpacks to more, or a part of it is not what it says. */
export async function unblosc(bytes: Uint8Array, most: number, codecs: BloscCodecs): Promise<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = readHeader(view, most);
  const { flags, size, blockSize, packed } = header;
  if (flags & STORED) {
    if (packed !== HEADER_BYTES + size) throw new Error(`it stores ${packed} bytes for ${size}`);
    return bytes.slice(HEADER_BYTES, packed);
  }
  const out = new Uint8Array(size);
  const unpack = streamCodec(flags >> 5, codecs);
  for (let block = 0, at = 0; at < size; block++, at += blockSize) {
    const begin = view.getUint32(HEADER_BYTES + 4 * block, true);
    const plain = await readBlock(bytes.subarray(0, packed), begin, Math.min(blockSize, size - at), {
      header,
      unpack,
    });
    unshuffle(plain, out.subarray(at, at + plain.length), header);
  }
  return out;
}

function readHeader(view: DataView, most: number): Header {
  if (view.byteLength < HEADER_BYTES) throw new Error(`it has ${view.byteLength} bytes, not even a header`);
  const [version, flags, typeBytes] = [0, 2, 3].map((at) => view.getUint8(at));
  const [size, blockSize, packed] = [4, 8, 12].map((at) => view.getUint32(at, true));
  if (version !== 2) throw new Error(`it is blosc of version ${version}, 2 is supported`);
  if (size > most) throw new Error(`it unpacks to ${size} bytes, ${most} are allowed`);
  if (packed > view.byteLength) throw new Error(`it ends after ${view.byteLength} of ${packed} bytes`);
  if (typeBytes === 0 || (size > 0 && (blockSize === 0 || blockSize > size)))
    throw new Error(`it has blocks of ${blockSize} bytes and cells of ${typeBytes}`);
  const blocks = Math.ceil(size / Math.max(1, blockSize));
  if (!(flags & STORED) && packed < HEADER_BYTES + 4 * blocks)
    throw new Error(`${packed} bytes do not hold ${blocks} blocks`);
  return { flags, typeBytes, size, blockSize, packed };
}

function streamCodec(number: number, { lz4, zstd }: BloscCodecs): Unpack {
  if (number === 0) return bloscLz;
  if (number === 1) return lz4;
  if (number === 3) return (bytes, size) => inflateSync(bytes, { maxOutputLength: size });
  if (number === 4) return zstd;
  throw new Error(`its codec is ${number === 2 ? 'snappy' : `number ${number}`}, which is not supported`);
}

/** One block as its streams hold it, still shuffled. */
async function readBlock(
  bytes: Uint8Array,
  begin: number,
  size: number,
  { header: { flags, typeBytes, blockSize }, unpack }: { header: Header; unpack: Unpack },
): Promise<Uint8Array> {
  const split =
    !(flags & NOT_SPLIT) &&
    typeBytes <= MOST_SPLITS &&
    blockSize / typeBytes >= LEAST_SPLIT &&
    size === blockSize;
  const streams = split ? typeBytes : 1;
  if (size % streams !== 0) throw new Error(`a block of ${size} bytes is not ${streams} equal streams`);
  const each = size / streams;
  const out = new Uint8Array(size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0, at = begin; i < streams; i++) {
    if (at + 4 > bytes.length) throw new Error(`a stream begins at byte ${at} of ${bytes.length}`);
    const length = view.getInt32(at, true);
    if (length <= 0 || at + 4 + length > bytes.length)
      throw new Error(`a stream has ${length} bytes from byte ${at} of ${bytes.length}`);
    const packed = bytes.subarray(at + 4, at + 4 + length);
    const plain = length === each ? packed : await unpack(packed, each);
    if (plain.length !== each) throw new Error(`a stream unpacks to ${plain.length} of ${each} bytes`);
    out.set(plain, i * each);
    at += 4 + length;
  }
  return out;
}

function unshuffle(from: Uint8Array, to: Uint8Array, { flags, typeBytes }: Header): void {
  if (flags & BIT_SHUFFLED) unshuffleBits(from, to, typeBytes);
  else if (flags & SHUFFLED && typeBytes > 1) unshuffleBytes(from, to, typeBytes);
  else to.set(from);
}

/** `[byte of a cell][cell]` -> `[cell][byte of a cell]`; what is no whole cell stands at the end as it is. */
function unshuffleBytes(from: Uint8Array, to: Uint8Array, typeBytes: number): void {
  const cells = Math.floor(from.length / typeBytes);
  for (let b = 0, i = 0; b < typeBytes; b++)
    for (let cell = 0, o = b; cell < cells; cell++, o += typeBytes) to[o] = from[i++];
  to.set(from.subarray(cells * typeBytes), cells * typeBytes);
}

/** `[bit of a cell][cell]` -> cells; a block whose cells are no multiple of 8 was left as it is. */
function unshuffleBits(from: Uint8Array, to: Uint8Array, typeBytes: number): void {
  const cells = Math.floor(from.length / typeBytes);
  if (cells % 8 !== 0) {
    to.set(from);
    return;
  }
  const row = cells / 8;
  for (let bit = 0; bit < typeBytes * 8; bit++)
    for (let i = 0; i < row; i++) {
      const eight = from[bit * row + i];
      for (let k = 0; eight >> k; k++)
        if ((eight >> k) & 1) to[(i * 8 + k) * typeBytes + (bit >> 3)] |= 1 << (bit & 7);
    }
  to.set(from.subarray(cells * typeBytes), cells * typeBytes);
}

/**
 * BloscLZ (blosclz.c), a descendant of FastLZ: a control byte below 32 is followed by that many literals and one more, another
 * is a match of three bytes or more; a distance of 31 * 256 + 255 stands for a longer one in two more bytes.
 */
export function bloscLz(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  let [at, written] = [0, 0];
  const next = (): number => {
    if (at >= bytes.length) throw new Error('a stream ends early');
    return bytes[at++];
  };
  for (let first = true; at < bytes.length; first = false) {
    const control = first ? next() & 31 : next();
    if (control < 32) {
      const run = bytes.subarray(at, at + control + 1);
      if (run.length <= control || written + run.length > size) throw new Error('literals end early');
      out.set(run, written);
      at += run.length;
      written += run.length;
      continue;
    }
    let length = (control >> 5) - 1;
    if (length === 6) for (let more = 255; more === 255; length += more) more = next();
    length += 3;
    const high = (control & 31) << 8;
    let distance = high + next() + 1;
    if (distance === MOST_NEAR) distance = MOST_NEAR + ((next() << 8) | next());
    if (distance > written || written + length > size) throw new Error('a match leads out of the block');
    for (let i = 0; i < length; i++, written++) out[written] = out[written - distance];
  }
  return out.subarray(0, written);
}

const MOST_NEAR = 8_192;
