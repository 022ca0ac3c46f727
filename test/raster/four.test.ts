import { describe, expect, test } from 'vitest';
import { Random } from '../../pipeline/random.js';
import { weighFour } from '../../pipeline/raster/four.js';
import { resampler } from '../../pipeline/raster/resample.js';
import { pairs, weighAny } from '../../pipeline/raster/weigh.js';

const random = Random.from(5);
const crs = 'EPSG:4326';
type Transform = [number, number, number, number, number, number];
const grid = (width: number, height: number, [x, y, span]: number[]) => ({
  width,
  height,
  crs,
  transform: [x, span / width, 0, y, 0, -span / height] as Transform,
});
const TYPES = [Uint8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array];

function numbers(Type: (typeof TYPES)[number], n: number, span: number) {
  const out = new Type(n);
  for (let i = 0; i < n; i++) out[i] = (random.uniform() - 0.3) * span;
  return out;
}

describe('weighFour()', () => {
  test('gives the bits of weighAny() for every type, odd and even widths, several bands, and targets off the map', () => {
    for (const Type of TYPES)
      for (const method of ['bilinear', 'nearest'] as const)
        for (const [target, place] of [
          [16, [0, 10, 10]],
          [17, [-3, 13, 14]],
          [1, [2, 8, 5]],
          [50, [0, 10, 10]],
        ] as const) {
          const source = grid(23, 19, [0, 10, 10]);
          const weights = resampler(source, grid(target, target + 2, [...place]), method);
          if (!weights || 'places' in weights) throw new Error('same CRS and other grids were expected');
          const bands = [0, 1, 2].map(() => numbers(Type, 23 * 19, Type === Uint8Array ? 300 : 9000));
          const cells = target * (target + 2);
          const frame = () => ({
            values: new Float32Array(cells * 4).fill(7),
            valid: new Uint8Array(cells).fill(1),
            step: 4,
          });
          const [found, expected] = [frame(), frame()];
          const places = [2, 0, 3];
          weighFour(
            pairs(weights.rows)!,
            pairs(weights.columns)!,
            { bands, width: 23 },
            { ...found, places },
          );
          const valid = new Uint8Array(23 * 19).fill(1);
          bands.forEach((values, i) => {
            weighAny(
              weights.rows,
              weights.columns,
              { values, valid, width: 23 },
              { ...expected, at: places[i] },
            );
          });
          expect(Buffer.from(found.valid).equals(expected.valid)).toBe(true);
          expect(Buffer.from(found.values.buffer).equals(Buffer.from(expected.values.buffer))).toBe(true);
          expect(found.valid.includes(0)).toBe(target === 17);
        }
  });

  test('gives the same for maps that go through the kernel in parts', () => {
    const [width, height] = [2048, 2048]; // 16 MiB of floats
    const source = grid(width, height, [0, 10, 10]);
    const weights = resampler(source, grid(3, 100, [0, 10, 10]), 'bilinear');
    if (!weights || 'places' in weights) throw new Error('other grids were expected');
    const values = Float32Array.from({ length: width * height }, (_, i) => (i * 2654435761) % 1009);
    const valid = new Uint8Array(width * height).fill(1);
    const frame = () => ({ values: new Float32Array(300), valid: new Uint8Array(300).fill(1), step: 1 });
    const [found, expected] = [frame(), frame()];
    weighFour(
      pairs(weights.rows)!,
      pairs(weights.columns)!,
      { bands: [values], width },
      { ...found, places: [0] },
    );
    weighAny(weights.rows, weights.columns, { values, valid, width }, { ...expected, at: 0 });
    expect(found).toEqual(expected);
  });
});
