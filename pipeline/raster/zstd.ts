/**
 * Zstandard blocks of a known size, unpacked inside the decoder's own memory: its own way of giving them back is a fresh
 * array a block, and a megabyte of garbage a map costs more than the unpacking.
 */
import { ZSTDDecoder } from 'zstddec';

/** What zstddec's WebAssembly offers. */
interface Exports {
  memory: { readonly buffer: ArrayBuffer };
  malloc(bytes: number): number;
  free(at: number): void;
  /** Bytes written, or a number above `size`, which stands for an error. */
  ZSTD_decompress(to: number, size: number, from: number, count: number): number;
}

/** At most `size` bytes, lent until the next call. An Error for what is no frame, is spoilt, or unpacks to more. */
export type Unzstd = (bytes: Uint8Array, size: number) => Uint8Array;

let opening: Promise<Unzstd> | undefined;

/** One decoder a process. */
export const zstdDecoder = (): Promise<Unzstd> => (opening ??= open());

async function open(): Promise<Unzstd> {
  let exports: Exports | undefined;
  const decoder = new ZSTDDecoder();
  const settle = decoder._init;
  decoder._init = (result) => {
    ({ exports } = (result as unknown as { instance: { exports: Exports } }).instance);
    settle(result);
  };
  await decoder.init();
  if (!exports) throw new Error('zstddec does not show its memory; another version of it was expected');
  return unpackIn(exports);
}

function unpackIn({ memory, malloc, free, ZSTD_decompress }: Exports): Unzstd {
  // Places in the memory that hold what was unpacked last.
  let lent: number[] = [];
  return (bytes, size) => {
    for (const at of lent) free(at);
    const [from, to] = (lent = [malloc(bytes.length), malloc(size)]);
    if (from === 0 || to === 0)
      throw new Error(`there is no memory for ${bytes.length} bytes that hold ${size}`);
    new Uint8Array(memory.buffer).set(bytes, from);
    const written = ZSTD_decompress(to, size, from, bytes.length) >>> 0;
    if (written > size) throw new Error('it is no sound Zstandard data of that size');
    return new Uint8Array(memory.buffer, to, written);
  };
}
