import { describe, expect, test } from 'vitest';
import { loadKernel } from '../../pipeline/kernels/index.js';
import { Random } from '../../pipeline/random.js';

const AT = 131_072;
const TO = 196_608;
const { functions, memory } = loadKernel('blocks', { pages: 8 });
const random = Random.from(11);
const noise = (n: number) => Uint8Array.from({ length: n }, () => Math.floor(random.uniform() * 256));
const put = (bytes: Uint8Array) => new Uint8Array(memory.buffer).set(bytes, AT);
const get = (at: number, n: number) => new Uint8Array(memory.buffer).slice(at, at + n);

const ARRAYS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array };

describe('kernels of blocks', () => {
  test('accumulate() undoes differences of every size of number, count of bands and length of row', () => {
    for (const size of [1, 2, 4, 8] as const)
      for (const step of [1, 2, 3, 4, 5, 7, 9])
        for (const cells of [1, 2, 3, 5, 16, 17, 45, 64]) {
          const rows = 3;
          const bytes = noise(rows * cells * step * size);
          put(bytes);
          functions.accumulate(AT, rows, cells * step * size, size, step);
          const numbers = new ARRAYS[size](bytes.buffer) as unknown as number[];
          for (let row = 0; row < rows; row++)
            for (let i = row * cells * step + step; i < (row + 1) * cells * step; i++)
              numbers[i] += numbers[i - step];
          expect(get(AT, bytes.length), `${size} ${step} ${cells}`).toEqual(bytes);
        }
  });

  test('mergePlanes() joins byte planes to numbers of 4 and 8 bytes', () => {
    for (const size of [4, 8])
      for (const cells of [1, 15, 16, 37]) {
        const bytes = noise(2 * cells * size);
        put(bytes);
        functions.mergePlanes(AT, TO, 2, cells, size);
        const expected = bytes.map((_, i) => {
          const [row, cell, byte] = [
            Math.floor(i / (cells * size)),
            Math.floor(i / size) % cells,
            size - 1 - (i % size),
          ];
          return bytes[row * cells * size + byte * cells + cell];
        });
        expect(get(TO, bytes.length)).toEqual(expected);
      }
  });

  test('pickSample() takes every band out of cells of 2 to 5 numbers', () => {
    for (const size of [1, 2, 4, 8])
      for (const step of [2, 3, 4, 5])
        for (const cells of [1, 15, 16, 50]) {
          const bytes = noise(cells * step * size);
          put(bytes);
          for (let sample = 0; sample < step; sample++) {
            functions.pickSample(AT, TO, cells, size, step, sample);
            const expected = Uint8Array.from({ length: cells * size }, (_, i) => {
              const cell = Math.floor(i / size);
              return bytes[(cell * step + sample) * size + (i % size)];
            });
            expect(get(TO, cells * size)).toEqual(expected);
          }
        }
  });

  test('lzw() of noise stops inside its place, whatever the codes say', () => {
    for (let round = 0; round < 400; round++) {
      const packed = noise(1 + Math.floor(random.uniform() * 300));
      packed[0] = 0x80; // a clear code, as most writers begin
      put(packed);
      const size = Math.floor(random.uniform() * 500);
      new Uint8Array(memory.buffer).fill(7, TO, TO + size + 64);
      const written = functions.lzw(AT, packed.length, TO, size, 65_536);
      expect(written).toBeGreaterThanOrEqual(-1);
      expect(written).toBeLessThanOrEqual(size);
      expect(get(TO + size + 8, 56).every((v) => v === 7)).toBe(true);
    }
  });
});
