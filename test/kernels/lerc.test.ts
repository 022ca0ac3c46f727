import * as library from 'lerc';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadKernel } from '../../pipeline/kernels/index.js';
import { Random } from '../../pipeline/random.js';
import { BYTES, fletcher, type LercPicture, lercBlob, numberBytes, stuffed } from './lercBlob.js';

const [TABLE, FROM, MASK, TO] = [65_536, 131_072, 327_680, 393_216];
const ARRAYS = { 2: Int16Array, 3: Uint16Array, 6: Float32Array, 7: Float64Array } as const;
const { functions, memory } = loadKernel('blocks', { pages: 16 });
const random = Random.from(5);
const upTo = (n: number) => Math.floor(random.uniform() * n);

/** Types an offset may be stored in, by code, for each type of numbers. */
const OFFSETS: Record<number, number[]> = { 2: [2, 1, 0], 3: [3, 1], 6: [6, 2, 1], 7: [7, 6, 4, 2] };

beforeAll(() => library.load());

function kernel(blob: Uint8Array, { rows, columns, type }: LercPicture, filler: number | null) {
  new Uint8Array(memory.buffer).set(blob, FROM);
  const fills = filler === null ? 0 : 1;
  const place = [FROM, blob.length, TO, rows, columns, type, TABLE, MASK, fills, filler ?? 0];
  return functions.lerc(...place)
    ? new Uint8Array(memory.buffer).slice(TO, TO + rows * columns * BYTES[type])
    : null;
}

/** What the library gives, with the filler where a cell is masked. */
function expected(blob: Uint8Array, { type }: LercPicture, filler: number) {
  const { pixels, mask } = library.decode(blob, { returnInterleaved: true });
  const numbers = ARRAYS[type as 2].from(pixels[0]);
  mask?.forEach((seen, cell) => {
    if (!seen) numbers[cell] = filler;
  });
  return new Uint8Array(numbers.buffer);
}

/** A block of any kind: zeros, plain numbers, packed ones, packed places in a list, one number. */
function anyBlock(type: number, cells: number): number[] {
  const kind = upTo(5);
  if (kind === 0) return [2];
  const plain = () => (type < 6 ? upTo(200) : Math.fround(random.normal()));
  if (kind === 1) return [0, ...Array.from({ length: cells }, () => numberBytes(type, plain())).flat()];
  const code = upTo(OFFSETS[type].length);
  const stored = OFFSETS[type][code];
  const offset = numberBytes(stored, stored > 4 ? random.normal() : upTo(100));
  if (kind === 2) return [3 | (code << 6), ...offset];
  const head = [1 | (code << 6), ...offset];
  const size =
    cells < 256 && upTo(2) ? { code: 128, bytes: [cells] } : { code: 64, bytes: numberBytes(3, cells) };
  const bits = 1 + upTo(type < 6 ? 8 : 31);
  if (kind === 3)
    return [
      ...head,
      bits | size.code,
      ...size.bytes,
      ...stuffed(
        Array.from({ length: cells }, () => upTo(2 ** bits)),
        bits,
      ),
    ];
  const listed = 1 + upTo(20);
  const list = Array.from({ length: listed }, () => upTo(2 ** bits));
  const places = Array.from({ length: cells }, () => upTo(listed + 1));
  const placeBits = Math.ceil(Math.log2(listed + 1));
  return [
    ...head,
    bits | 32 | size.code,
    ...size.bytes,
    listed + 1,
    ...stuffed(list, bits),
    ...stuffed(places, placeBits),
  ];
}

function anyPicture(type: number, masked: boolean): LercPicture {
  const [rows, columns] = [1 + upTo(40), 1 + upTo(70)];
  const side = [8, 16, 32, 5][upTo(4)];
  const valid = masked
    ? Uint8Array.from({ length: rows * columns }, (_, i) => (i < columns || upTo(4) ? 1 : 0))
    : undefined;
  if (valid) for (let cell = 0; cell < valid.length; cell++) if (cell % columns > 40) valid[cell] = 0;
  const bounds = type < 6 ? { least: 0, largest: 150 + upTo(500) } : { least: -9, largest: upTo(3) + 0.37 };
  const maxError = type < 6 ? 0.5 * (1 + upTo(2)) : 0.01 * random.uniform();
  return {
    ...{ type, rows, columns, side, valid, maxError, ...bounds, version: upTo(2) ? 4 : 3 },
    block: (_top, _left, cells) => anyBlock(type, cells),
  };
}

describe('lerc()', () => {
  test('gives the bits that the library gives, for blocks of every kind, types and masks', () => {
    for (const type of [2, 3, 6, 7])
      for (let i = 0; i < 60; i++) {
        const picture = anyPicture(type, i % 2 === 1);
        const blob = lercBlob(picture);
        const filler = type < 6 ? 321 : Number.NaN;
        const found = kernel(blob, picture, filler);
        expect(found, `type ${type}, ${i}`).not.toBeNull();
        expect(Buffer.compare(found!, expected(blob, picture, filler)), `type ${type}, ${i}`).toBe(0);
      }
  });

  test('leaves what is cut short, spoilt, masked without a filler or of another size to the library', () => {
    const picture = { ...anyPicture(6, true), rows: 20, columns: 30 };
    picture.valid = Uint8Array.from({ length: 600 }, (_, i) => (i % 7 ? 1 : 0));
    const blob = lercBlob(picture);
    expect(kernel(blob, picture, 0)).not.toBeNull();
    expect(kernel(blob, picture, null)).toBeNull();
    expect(kernel(blob, { ...picture, rows: 21 }, 0)).toBeNull();
    expect(kernel(blob, { ...picture, type: 7 }, 0)).toBeNull();
    for (let cut = 0; cut < blob.length; cut += 7)
      expect(kernel(blob.subarray(0, cut), picture, 0)).toBeNull();
    for (let at = 14; at < blob.length; at += 5) {
      const spoilt = blob.slice();
      spoilt[at] ^= 1 << upTo(8);
      expect(kernel(spoilt, picture, 0), `byte ${at}`).toBeNull();
    }
  });

  test('writes nothing outside its place where the checksum was made to fit the lies of a blob', () => {
    let refused = 0;
    for (let i = 0; i < 400; i++) {
      const picture = anyPicture([2, 3, 6, 7][i % 4], i % 3 === 0);
      const blob = lercBlob(picture);
      const at = 14 + upTo(blob.length - 14);
      blob[at] = upTo(256);
      blob.set(numberBytes(4, fletcher(blob.subarray(14)) | 0), 10);
      // Places after the numbers, and before them, must stay as they are.
      const bytes = new Uint8Array(memory.buffer);
      bytes.fill(0xab, TO);
      const found = kernel(blob, picture, 0);
      const end = TO + picture.rows * picture.columns * BYTES[picture.type];
      expect(bytes.subarray(end, end + 4_096).every((byte) => byte === 0xab)).toBe(true);
      if (!found) refused++;
      else expect(Buffer.compare(found, expected(blob, picture, 0)), `${i}`).toBe(0);
    }
    expect(refused).toBeGreaterThan(20);
  });
});
