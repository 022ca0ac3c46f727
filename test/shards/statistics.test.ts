import { expect, test } from 'vitest';
import { Random } from '../../pipeline/random.js';
import { statistics } from '../../pipeline/shards/statistics.js';
import type { Band } from '../../schemas/records/index.js';

const random = Random.from(9);
const TYPES = [Uint8Array, Uint16Array, Int16Array, Float32Array];
const band = (scale: number, offset: number) => ({ scale, offset }) as Band;

test('statistics are those of the plain formula, of valid cells only, NaN where there is none', () => {
  for (const Type of TYPES)
    for (const bands of [[band(1, 0)], [band(0.1, -3), band(-2, 5), band(1, 0)]])
      for (const share of [0, 0.4, 1]) {
        const cells = 101;
        const values = new Type(cells * bands.length);
        for (let i = 0; i < values.length; i++) values[i] = (random.uniform() - 0.4) * 200;
        const valid = Uint8Array.from({ length: cells }, () => Number(random.uniform() < share));
        const expected = bands.flatMap(({ scale, offset }, i) => {
          const seen = Array.from({ length: cells }, (_, cell) => cell)
            .filter((cell) => valid[cell])
            .map((cell) => values[cell * bands.length + i] * scale + offset);
          if (seen.length === 0) return [Number.NaN, Number.NaN, Number.NaN];
          return [Math.min(...seen), seen.reduce((sum, v) => sum + v, 0) / seen.length, Math.max(...seen)];
        });
        const out = new Float32Array(3 * bands.length);
        statistics(values, share === 1 ? null : valid, { bands }, out);
        expect(out).toEqual(Float32Array.from(expected));
      }
});
