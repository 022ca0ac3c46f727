/**
 * JPEG streams by libjpeg-turbo in WebAssembly: the numbers that sharp gives (the same library, the same rules) without
 * its pipeline and its way through other threads, which cost twice the decoding of a tile. It says no to whatever is not
 * plain and sound; sharp then decides.
 */
import { createRequire } from 'node:module';

export interface Picture {
  /** `[height, width, channels]`; lent until the next call. */
  data: Uint8Array;
  width: number;
  height: number;
  channels: number;
}

/** The stream whose pieces these are; null where it is damaged in any way. */
export type DecodeJpeg = (pieces: readonly Uint8Array[]) => Picture | null;

/** What the package offers, which has no types of its own. */
interface Turbo {
  JPEGDecoder: new () => {
    getEncodedBuffer(bytes: number): Uint8Array;
    decode(): void;
    getDecodedBuffer(): Uint8ClampedArray;
    getFrameInfo(): { width: number; height: number; componentCount: number };
  };
}
type Factory = (options: object) => Promise<Turbo>;

const PACKAGE = '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs';
/** Each failure leaves some kilobytes behind in the library's memory. */
const MOST_FAILURES = 256;

let opening: Promise<DecodeJpeg> | undefined;

/** One decoder a process, until it has failed too often. */
export const jpegDecoder = (): Promise<DecodeJpeg> => (opening ??= open());

async function open(): Promise<DecodeJpeg> {
  const factory = createRequire(import.meta.url)(PACKAGE) as Factory;
  const quiet = () => {};
  const { JPEGDecoder } = await factory({ print: quiet, printErr: quiet });
  const decoder = new JPEGDecoder();
  let failures = 0;
  return (pieces) => {
    try {
      const encoded = decoder.getEncodedBuffer(pieces.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const piece of pieces) {
        encoded.set(piece, at);
        at += piece.length;
      }
      decoder.decode();
      const { width, height, componentCount } = decoder.getFrameInfo();
      const { buffer, byteOffset, byteLength } = decoder.getDecodedBuffer();
      const data = new Uint8Array(buffer, byteOffset, byteLength);
      return { data, width, height, channels: componentCount };
    } catch {
      if (++failures === MOST_FAILURES) opening = undefined;
      return null;
    }
  };
}
