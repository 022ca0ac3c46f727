/** A few bytes that unpack to many: far more than the block that they stand for has room for. */
import { deflateSync } from 'node:zlib';

/** 64 MiB of zeros. */
export const deflateBomb = (): Uint8Array => deflateSync(new Uint8Array(64 << 20), { level: 9 });

/** A Zstandard frame (RFC 8878) of `blocks` blocks of 128 KiB, each one repeated byte; `size`: what its header claims. */
export function zstdBomb(blocks: number, size: number | null): Uint8Array {
  // Single segment with a size of eight bytes, or a window of 8 MiB and no size.
  const head = size === null ? [0x00, 13 << 3] : [0xe0];
  const claimed = Buffer.alloc(size === null ? 0 : 8);
  if (size !== null) claimed.writeBigUInt64LE(BigInt(size));
  const body = Buffer.alloc(blocks * 4);
  for (let i = 0; i < blocks; i++)
    body.writeUInt32LE((0x20000 << 3) | (1 << 1) | Number(i === blocks - 1), i * 4);
  for (let i = 0; i < blocks; i++) body[i * 4 + 3] = 0; // three bytes of header, then the byte that is repeated
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, ...head]), claimed, body]);
}

/** TIFF LZW in which each code stands for a string one byte longer than the last, over and over. */
export function lzwBomb(rounds: number): Uint8Array {
  const bits: number[] = [];
  let width = 9;
  const put = (code: number) => {
    for (let b = width - 1; b >= 0; b--) bits.push((code >> b) & 1);
  };
  for (let round = 0; round < rounds; round++) {
    put(256);
    width = 9;
    put(0);
    for (let code = 258; code < 4094; code++) {
      if (code > 511 - 1 && width < 10) width = 10;
      if (code > 1023 - 1 && width < 11) width = 11;
      if (code > 2047 - 1 && width < 12) width = 12;
      put(code);
    }
  }
  const out = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, i) => {
    out[i >> 3] |= bit << (7 - (i & 7));
  });
  return out;
}
