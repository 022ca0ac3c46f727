/**
 * Codecs of zarrita, bounded: none unpacks to more than its chunk has, so that a small file cannot fill the memory. Those that
 * inflate are node:zlib with a limit and zstddec into a buffer of the chunk's size; blosc and lz4 say their size first. Each of
 * them is a loop over its input and its bounded output, so none needs a guard of its own. crc32c, which zarrita passes over,
 * is checked.
 */
import { gunzipSync, inflateSync } from 'node:zlib';
import { registry } from 'zarrita';
import { zstdDecoder } from '../zstd.js';
import { unblosc } from './blosc.js';

type Meta = { shape: number[]; dataType: string };
type Decode = (bytes: Uint8Array, most: number) => Uint8Array | Promise<Uint8Array>;
type AnyCodec = { fromConfig(config: unknown, meta: Meta): { decode(bytes: Uint8Array): unknown } };

/** Filters and checksums add a few bytes to what a codec inside them holds. */
const ROOM = 4_096;
let done = false;

/** Once a process; also for zarrita's other users in it, who lose nothing but bombs. */
export async function boundCodecs(): Promise<void> {
  if (done) return;
  done = true;
  const unzstd = async (bytes: Uint8Array, size: number) => (await zstdDecoder())(bytes, size).slice();
  const lz4 = registry.get('lz4')! as Loader;
  set('gzip', (bytes, most) => gunzipSync(bytes, { maxOutputLength: most }));
  set('zlib', (bytes, most) => inflateSync(bytes, { maxOutputLength: most }));
  set('zstd', unzstd);
  set('blosc', (bytes, most) =>
    unblosc(bytes, most, {
      zstd: unzstd,
      lz4: async (packed, size) => unpackLz4(await lz4(), withSize(packed, size)),
    }),
  );
  set('lz4', async (bytes, most) => {
    if (bytes.length < 4) throw new Error(`it has ${bytes.length} bytes, not even a size`);
    const size = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
    if (size > most) throw new Error(`it unpacks to ${size} bytes, ${most} are allowed`);
    return unpackLz4(await lz4(), bytes);
  });
  set('crc32c', checksum, 4);
}

type Loader = () => Promise<AnyCodec>;

function set(name: string, decode: Decode, overhead?: number): void {
  const codec = {
    fromConfig(_: unknown, { shape, dataType }: Meta) {
      const most = shape.reduce((n, size) => n * size, itemBytes(dataType)) + ROOM;
      return {
        kind: 'bytes_to_bytes' as const,
        encode() {
          throw new Error('stormreel only reads Zarr');
        },
        decode: async (bytes: Uint8Array) => decode(bytes, most),
        ...(overhead === undefined ? {} : { computeEncodedSize: (size: number) => size + overhead }),
      };
    },
  };
  for (const key of [name, `numcodecs.${name}`]) registry.set(key, (() => codec) as never);
}

function itemBytes(dataType: string): number {
  const bits = Number(/\d+$/.exec(dataType)?.[0] ?? 8);
  return dataType === 'bool' ? 1 : bits / 8;
}

/** A block of LZ4 as numcodecs keeps it, after its size in four bytes. */
function withSize(packed: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(4 + packed.length);
  new DataView(out.buffer).setUint32(0, size, true);
  out.set(packed, 4);
  return out;
}

/** The library takes the number of an error for a length. */
async function unpackLz4(Codec: AnyCodec, bytes: Uint8Array): Promise<Uint8Array> {
  const codec = Codec.fromConfig({}, { shape: [], dataType: 'uint8' });
  try {
    return (await codec.decode(bytes)) as Uint8Array;
  } catch (cause) {
    throw new Error('it is no LZ4 block', { cause });
  }
}

function checksum(bytes: Uint8Array): Uint8Array {
  const body = bytes.subarray(0, bytes.length - 4);
  const stored = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(body.length, true);
  if (bytes.length < 4 || crc32c(body) !== stored) throw new Error('its crc32c does not fit');
  return body;
}

/** Castagnoli's polynomial, reflected (RFC 3720, appendix B.4). */
const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c;
});

function crc32c(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) c = (c >>> 8) ^ TABLE[(c ^ bytes[i]) & 255];
  return (c ^ 0xffffffff) >>> 0;
}
