/** Chunks of blosc as c-blosc writes them, and spoilt ones: an error, never what lay in memory before. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { registry } from 'zarrita';
import { Random } from '../../pipeline/random.js';
import { boundCodecs } from '../../pipeline/raster/zarr/codecs.js';

interface Golden {
  name: string;
  shuffle: number;
  dtype: 'f4' | 'i2' | 'f8' | 'u1';
  n: number;
  packed: string;
}
const golden: Golden[] = JSON.parse(readFileSync(new URL('../golden/blosc.json', import.meta.url), 'utf8'));
const ARRAYS = { f4: Float32Array, i2: Int16Array, f8: Float64Array, u1: Uint8Array };

const plainOf = ({ dtype, n }: Golden): Buffer =>
  Buffer.from(new ARRAYS[dtype](Array.from({ length: n }, (_, i) => Math.floor((i % 97) / 3))).buffer);

async function decode(packed: Uint8Array, size: number): Promise<Uint8Array> {
  await boundCodecs();
  const Codec = (await registry.get('blosc')!()) as unknown as {
    fromConfig(config: object, meta: object): { decode(bytes: Uint8Array): Promise<Uint8Array> };
  };
  return Codec.fromConfig({}, { shape: [size], dataType: 'uint8' }).decode(packed);
}

describe('a chunk of blosc', () => {
  it.each(golden)(
    'of $name with shuffle $shuffle over $n $dtype is read as c-blosc wrote it',
    async (one) => {
      const plain = plainOf(one);
      expect(Buffer.from(await decode(Buffer.from(one.packed, 'base64'), plain.length)).equals(plain)).toBe(
        true,
      );
    },
  );

  it('that is cut anywhere is refused', async () => {
    for (const one of golden.filter(({ dtype }) => dtype !== 'f8')) {
      const packed = Buffer.from(one.packed, 'base64');
      for (const at of [0, 3, 15, 16, 20, packed.length >> 1, packed.length - 1])
        await expect(decode(packed.subarray(0, at), plainOf(one).length)).rejects.toBeInstanceOf(Error);
    }
  });

  it('that is spoilt is refused, or has as many bytes as it says and none of another chunk', async () => {
    const random = Random.from(1);
    let refused = 0;
    for (const one of golden) {
      const plain = plainOf(one);
      for (let round = 0; round < 12; round++) {
        const packed = Buffer.from(one.packed, 'base64');
        const at = Math.floor(random.uniform() * packed.length);
        packed[at] ^= 1 << Math.floor(random.uniform() * 8);
        const [first, again] = [await outcome(packed, plain.length), await outcome(packed, plain.length)];
        if (first instanceof Error) refused++;
        expect(same(again, first)).toBe(true);
      }
    }
    expect(refused).toBeGreaterThan(golden.length);
  });

  it('of a codec that is none, or of another version, is refused', async () => {
    const whole = Buffer.from(golden[0].packed, 'base64');
    for (const [at, value, said] of [
      [0, 9, /version 9/],
      [2, 0xe0, /number 7/],
      [2, 0x40, /snappy/],
      [8, 0, /blocks of/],
      [3, 0, /cells of 0/],
    ] as const) {
      const packed = Buffer.from(whole);
      packed[at] = value;
      if (at === 8) packed.writeUInt32LE(0, 8);
      await expect(decode(packed, 20_000)).rejects.toThrow(said);
    }
  });
});

const same = (a: Uint8Array | Error, b: Uint8Array | Error): boolean =>
  a instanceof Error ? b instanceof Error && a.message === b.message : Buffer.from(a).equals(b as Uint8Array);

const outcome = (packed: Uint8Array, size: number): Promise<Uint8Array | Error> =>
  decode(packed, size).catch((error: Error) => error);
