import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildModel } from '../../pipeline/models/index.js';
import { EVALUATION } from '../../pipeline/nn/index.js';
import { Random } from '../../pipeline/random.js';
import {
  mapTree,
  openBackend,
  type ParameterTree,
  type Tensor,
  tensor,
  tensorCount,
  tidy,
} from '../../pipeline/tensor/index.js';
import { ModelConfig } from '../../schemas/config/index.js';
import { hashedLeaf, hashedMap } from './hashed.js';

interface Sampled {
  shape: number[];
  at: number[];
  values: number[];
  sum: number;
  sizes: number;
}
const golden: { cases: { size: number; taps: Sampled[] }[] } = JSON.parse(
  readFileSync(new URL('../golden/densenet121.json', import.meta.url), 'utf8'),
);

beforeAll(async () => {
  await openBackend();
});

const build = (height: number, width: number, channels = 3, config: object = {}) =>
  buildModel(ModelConfig.parse({ encoder: { kind: 'densenet121', ...config } }), {
    height,
    width,
    channels,
    season: 0,
  });

/** The backbone's leaves by the formula; attention and output as they start. */
function hashed(start: ParameterTree): ParameterTree {
  let leaf = 0;
  return mapTree(start, (old, name) =>
    name.startsWith('encoder/backbone/') ? tensor(hashedLeaf(leaf++, name, old.shape), old.shape) : old,
  );
}

/** Largest difference of the samples, relative to the tap's mean size, and the same of the sum of all values. */
function compare(tap: Tensor, expected: Sampled): { samples: number; sum: number } {
  const values = tap.dataSync() as Float32Array;
  const mean = expected.sizes / values.length;
  const differences = expected.at.map((at, i) => Math.abs(values[at] - expected.values[i]) / mean);
  const sum = values.reduce((total, value) => total + value, 0);
  return { samples: Math.max(...differences), sum: Math.abs(sum - expected.sum) / expected.sizes };
}

describe('densenet121', () => {
  it.each(golden.cases)('gives the taps and features of Keras at $size cells a side', ({ size, taps }) => {
    const before = tensorCount();
    tidy(() => {
      const model = build(size, size);
      const parameters = hashed(model.init(Random.from(1)));
      const x = tensor(hashedMap(size), [1, size, size, 3]);
      const found = model.encode(parameters, x, EVALUATION);
      expect(found.taps!.map((tap) => tap.shape)).toEqual(taps.map(({ shape }) => shape));
      const { height, width } = model.mapGrid;
      expect([height, width]).toEqual(taps[3].shape.slice(1, 3));
      found.taps!.forEach((tap, i) => {
        const { samples, sum } = compare(tap, taps[i]);
        expect(samples, `tap ${i}`).toBeLessThan(1e-4);
        expect(sum, `sum of tap ${i}`).toBeLessThan(1e-5);
      });
    });
    expect(tensorCount()).toBe(before);
  });
});
