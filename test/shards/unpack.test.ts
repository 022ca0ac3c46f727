import { describe, expect, it } from 'vitest';
import { frameUnpacker } from '../../pipeline/shards/unpack.js';
import { STORED, type StoredArray } from '../../schemas/arrow/index.js';
import type { DatasetDescription, Dtype } from '../../schemas/records/index.js';

const SCALES = [
  [1, 0],
  [0.1, -273.15],
  [1 / 3, 1e5],
];
const DTYPES: Dtype[] = ['u8', 'i16', 'u16', 'f32'];

/** Any numbers of the type, the same every time. */
function numbers(dtype: Dtype, n: number): StoredArray {
  const found = new STORED[dtype].array(n);
  for (let i = 0; i < n; i++) {
    const bits = Math.imul(i + 1, 0x9e3779b1) >>> 0;
    found[i] = dtype !== 'f32' ? bits >>> 16 : i % 97 === 0 ? Number.NaN : bits / 1e4 - 2e5;
  }
  return found;
}

describe('frameUnpacker', () => {
  it('gives the numbers of plain arithmetic bit for bit, 0 where invalid, at every type, size and number of bands', () => {
    for (const dtype of DTYPES)
      for (const [width, height] of [
        [1, 1],
        [7, 3],
        [64, 64],
        [251, 301],
      ])
        for (const bands of [1, 3])
          for (const scaled of [false, true])
            for (const masked of [false, true]) {
              const description = {
                dtype,
                grid: { width, height },
                bands: Array.from({ length: bands }, (_, b) => {
                  const [scale, offset] = SCALES[scaled ? b : 0];
                  return { scale, offset };
                }),
              } as DatasetDescription;
              if (scaled && bands === 1) Object.assign(description.bands[0], { scale: 0.1, offset: 7 });
              const cells = width * height;
              const stored = numbers(dtype, cells * bands);
              const mask = masked
                ? Uint8Array.from({ length: Math.ceil(cells / 8) }, (_, i) => (i * 37) & 255)
                : null;
              const out = {
                values: new Float32Array(cells * bands + 1).fill(-1),
                valid: new Uint8Array(cells + 1).fill(9),
              };
              frameUnpacker(description)(stored, mask, out);
              const valid = Uint8Array.from({ length: cells }, (_, c) =>
                mask ? (mask[c >> 3] >> (c & 7)) & 1 : 1,
              );
              const values = Float32Array.from(stored, (number, i) => {
                const { scale, offset } = description.bands[i % bands];
                if (!valid[Math.floor(i / bands)]) return 0;
                return scaled ? number * scale + offset : number;
              });
              const name = `${dtype} ${width}x${height}x${bands} scaled ${scaled} masked ${masked}`;
              expect(Buffer.compare(bytesOf(out.values.subarray(0, -1)), bytesOf(values)), name).toBe(0);
              expect(Buffer.compare(bytesOf(out.valid.subarray(0, -1)), bytesOf(valid)), name).toBe(0);
              expect([out.values[cells * bands], out.valid[cells]]).toEqual([-1, 9]); // nothing beyond the frame
            }
  });
});

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Uint8Array) =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
