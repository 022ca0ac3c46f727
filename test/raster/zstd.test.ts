import { describe, expect, it } from 'vitest';
import { zstdDecoder } from '../../pipeline/raster/zstd.js';

/** A frame that says its size and holds `numbers` as they are (RFC 8878, section 3.1.1). */
const frame = (numbers: number[], size = numbers.length) =>
  Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, size, 1 | (numbers.length << 3), 0, 0, ...numbers]);

describe('zstdDecoder()', () => {
  it('unpacks one block after the other, each into the place of the last', async () => {
    const unpack = await zstdDecoder();
    for (let i = 0; i < 2_000; i++) {
      const numbers = Array.from({ length: 1 + (i % 30) }, (_, k) => (i * k) % 256);
      expect([...unpack(frame(numbers), numbers.length + (i % 3))]).toEqual(numbers);
    }
  });

  it('refuses what is no frame, is cut short, or holds more than there is room for', async () => {
    const unpack = await zstdDecoder();
    expect(() => unpack(Uint8Array.of(1, 2, 3, 4, 5), 100)).toThrow(/no sound Zstandard/);
    expect(() => unpack(frame([1, 2, 3]).subarray(0, 10), 100)).toThrow(/no sound Zstandard/);
    expect(() => unpack(frame([1, 2, 3, 4]), 3)).toThrow(/no sound Zstandard/);
    expect(() => unpack(frame([1, 2, 3], 4), 100)).toThrow(/no sound Zstandard/);
    expect([...unpack(frame([7]), 1)]).toEqual([7]);
  });
});
