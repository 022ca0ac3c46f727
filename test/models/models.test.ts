import { beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../pipeline/errors.js';
import { buildModel, type Model, mapCell } from '../../pipeline/models/index.js';
import { EVALUATION } from '../../pipeline/nn/index.js';
import { Random } from '../../pipeline/random.js';
import {
  add,
  dispose,
  leaves,
  logSumExp,
  mapTree,
  mul,
  openBackend,
  type ParameterTree,
  reshape,
  slice,
  softmax,
  sub,
  type Tensor,
  tensor,
  tensorCount,
  tidy,
} from '../../pipeline/tensor/index.js';
import { ModelConfig } from '../../schemas/config/index.js';
import { difference } from '../nn/fixtures.js';

beforeAll(async () => {
  await openBackend();
});

const noise = (shape: number[], seed: number): Tensor => {
  const random = Random.from(seed);
  return tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );
};
const build = (config: object, shape: object = {}): Model =>
  buildModel(ModelConfig.parse(config), { height: 9, width: 11, channels: 3, season: 0, ...shape });
const GRU = { kind: 'gru', units: 4 };
/** Every zero-initialised leaf moved away from zero, so that no term hides. */
const stirred = (parameters: ParameterTree): ParameterTree =>
  mapTree(parameters, (t, name) => add(mul(noise(t.shape, name.length + t.size), 0.3), t));

describe.each(['evidence', 'cnn'])('encoder %s', (kind) => {
  it('gives one logit a frame, features that begin with it and a map, and leaves no tensor behind', () => {
    const before = tensorCount();
    tidy(() => {
      const model = build({ encoder: { kind, widths: [4, 6] }, head: GRU });
      const parameters = model.init(Random.from(1), { logit: -2 });
      const found = model.encode(parameters, noise([5, 9, 11, 3], 2), EVALUATION);
      expect(found.evidence.shape).toEqual([5]);
      expect(found.features.shape).toEqual([5, model.featureCount]);
      expect(found.map!.shape).toEqual([5, model.mapGrid.height, model.mapGrid.width]);
      const first = slice(found.features, [0, 0], [5, 1]).dataSync();
      expect(difference(found.evidence, first)).toBe(0);
    });
    expect(tensorCount()).toBe(before);
  });

  it('gives the same start values for the same seed and others for another', () => {
    tidy(() => {
      const model = build({ encoder: { kind, widths: [4] } });
      const values = (seed: number) =>
        leaves(model.init(Random.from(seed))).flatMap(({ tensor: t }) => [...t.dataSync()]);
      expect(values(3)).toEqual(values(3));
      expect(values(3)).not.toEqual(values(4));
    });
  });

  it('has a causal head: logits up to t do not change when later frames change', () => {
    tidy(() => {
      const model = build(
        { encoder: { kind, widths: [4] }, head: GRU, channels: { season: true } },
        { season: 4 },
      );
      const parameters = stirred(model.init(Random.from(1)));
      const run = (features: Tensor, season: Tensor) =>
        model.head(parameters, { features, season, valid: null, state: null }, EVALUATION).logits.dataSync();
      const features = noise([2, 7, model.featureCount], 5);
      const season = noise([2, 7, 4], 6);
      const later = tensor([0, 0, 0, 0, 1, 1, 1], [1, 7, 1]);
      const plain = run(features, season);
      const changed = run(add(features, later), add(season, later));
      for (let b = 0; b < 2; b++)
        for (let t = 0; t < 7; t++) {
          if (t < 4) expect(changed[b * 7 + t]).toBe(plain[b * 7 + t]);
          else expect(changed[b * 7 + t]).not.toBe(plain[b * 7 + t]);
        }
    });
  });

  it('runs in two parts with the carried state as in one', () => {
    tidy(() => {
      const model = build({ encoder: { kind, widths: [4] }, head: GRU });
      const parameters = stirred(model.init(Random.from(1)));
      const features = noise([2, 6, model.featureCount], 5);
      const part = (from: number, to: number, state: Tensor | null) =>
        model.head(
          parameters,
          {
            features: slice(features, [0, from, 0], [2, to - from, model.featureCount]),
            season: null,
            valid: null,
            state,
          },
          EVALUATION,
        );
      const whole = part(0, 6, null);
      const first = part(0, 2, null);
      const second = part(2, 6, first.state);
      const expected = slice(whole.logits, [0, 2, 0], [2, 4, 1]).dataSync();
      expect(difference(second.logits, expected)).toBeLessThan(1e-6);
    });
  });
});

describe('encoder evidence', () => {
  it('is g (logsumexp m - log cells) + b of its own map', () => {
    tidy(() => {
      const model = build({ encoder: { kind: 'evidence', widths: [4], margin: 2 } });
      const parameters = model.init(Random.from(1), { logit: -1.5 });
      const { evidence, map } = model.encode(parameters, noise([3, 9, 11, 3], 2), EVALUATION);
      expect(map!.shape).toEqual([3, 5, 7]);
      const expected = sub(logSumExp(reshape(map!, [3, 35]), 1), Math.log(35) + 1.5).dataSync();
      expect(difference(evidence, expected)).toBeLessThan(1e-5);
    });
  });

  it('gives the same numbers inside a wide margin, where it trims, as with padding cut off afterwards', () => {
    tidy(() => {
      const config = (margin: number) => ({
        encoder: { kind: 'evidence', widths: [4, 5], margin, cellBias: false },
      });
      const parameters = build(config(0)).init(Random.from(1));
      const x = noise([3, 9, 11, 3], 2);
      const padded = build(config(0)).encode(parameters, x, EVALUATION).map!; // no margin: padded with zeros
      const trimmed = build(config(3)).encode(parameters, x, EVALUATION).map!;
      expect(trimmed.shape).toEqual([3, 3, 5]);
      expect(difference(trimmed, slice(padded, [0, 3, 3], [3, 3, 5]).dataSync())).toBeLessThan(1e-5);
    });
  });

  it('refuses a margin that leaves no cell', () => {
    const refused = () => build({ encoder: { kind: 'evidence', margin: 5 } });
    expect(refused).toThrowError(ConfigError);
    expect(refused).toThrowError(/a margin of 5 cells leaves nothing of maps of 9 x 11/);
  });

  it('finds the map cell of a frame cell and -1 in the margin', () => {
    const model = build({ encoder: { kind: 'evidence', widths: [4], margin: 2 } });
    expect(mapCell(model, 2 * 11 + 2)).toBe(0);
    expect(mapCell(model, 6 * 11 + 8)).toBe(34);
    expect(mapCell(model, 1 * 11 + 5)).toBe(-1);
    expect(mapCell(model, -1)).toBe(-1);
  });
});

describe('encoder cnn', () => {
  it('refuses maps that shrink to one cell, where attention is the constant 1', () => {
    const refused = () => build({ encoder: { kind: 'cnn', widths: [2, 2, 2, 2, 2] } });
    expect(refused).toThrowError(ConfigError);
    try {
      refused();
    } catch (error) {
      expect((error as ConfigError).fields).toMatchObject({ stride: 16 });
    }
  });

  it('returns new batch norm moments by leaf name in training and none in evaluation', () => {
    const before = tensorCount();
    tidy(() => {
      const model = build({ encoder: { kind: 'cnn', widths: [4, 6] } });
      const parameters = model.init(Random.from(1));
      const names = leaves(parameters).map(({ name }) => name);
      const x = noise([3, 9, 11, 3], 2);
      const { updates } = model.encode(parameters, x, { training: true, random: Random.from(1) });
      expect(Object.keys(updates!)).toHaveLength(4);
      for (const name of Object.keys(updates!)) expect(names).toContain(name);
      expect(model.encode(parameters, x, EVALUATION).updates).toEqual({});
    });
    expect(tensorCount()).toBe(before);
  });

  it('maps a centre to its cell of the halved grid', () => {
    const model = build({ encoder: { kind: 'cnn', widths: [4, 6] } });
    expect(model.mapGrid).toEqual({ height: 5, width: 6, margin: 0, stride: 2 });
    expect(mapCell(model, 8 * 11 + 10)).toBe(4 * 6 + 5);
    expect(mapCell(model, 3 * 11 + 1)).toBe(1 * 6 + 0);
  });
});

describe('encoder cnn with attention at several blocks', () => {
  const attended = (attention: object = {}, more: object = {}) =>
    build({ encoder: { kind: 'cnn', widths: [3, 4, 5, 6], attention, ...more } });

  it('gives a score, a map and a weight for each tap, and a map of all on the grid of the last tap but one', () => {
    const before = tensorCount();
    tidy(() => {
      const model = attended();
      expect(model.taps).toEqual([
        { name: 'block1', height: 5, width: 6 },
        { name: 'block2', height: 3, width: 3 },
        { name: 'block3', height: 2, width: 2 },
      ]);
      expect(model.mapGrid).toEqual({ height: 3, width: 3, margin: 0, stride: 4 });
      expect([model.looks, model.weighsTaps]).toEqual([true, true]);
      const found = model.encode(model.init(Random.from(1)), noise([2, 9, 11, 3], 2), EVALUATION);
      expect(found.evidence.shape).toEqual([2]);
      expect(found.features.shape).toEqual([2, model.featureCount]);
      expect(found.map!.shape).toEqual([2, 3, 3]);
      expect(found.auxiliary!.map(({ shape }) => shape)).toEqual([[2], [2], [2]]);
      expect(found.looks!.map(({ shape }) => shape)).toEqual([
        [2, 5, 6],
        [2, 3, 3],
        [2, 2, 2],
      ]);
      expect(found.scale!.shape).toEqual([2, 3]);
      const heat = softmax(reshape(found.map!, [2, 9]), 1).dataSync();
      const plain = logSumExp(reshape(found.map!, [2, 9]), 1).dataSync();
      for (const total of plain) expect(total).toBeCloseTo(0, 4); // the map is the logarithm of shares already
      expect(Math.min(...heat)).toBeGreaterThan(0);
    });
    expect(tensorCount()).toBe(before);
  });

  it('lays the map on the grid that is asked for', () => {
    expect(attended({ grid: 1 }).mapGrid).toEqual({ height: 5, width: 6, margin: 0, stride: 2 });
    expect(attended({ modules: ['channel', 'element'] }).mapGrid.stride).toBe(8);
  });

  it('has neither map nor auxiliary loss without element attention', () => {
    tidy(() => {
      const model = attended({ modules: ['channel'] });
      expect([model.looks, model.weighsTaps, model.auxiliary]).toEqual([false, false, 0]);
      const found = model.encode(model.init(Random.from(1)), noise([2, 9, 11, 3], 2), EVALUATION);
      expect([found.map, found.auxiliary]).toEqual([null, undefined]);
    });
  });

  it.each([
    [[0, 1], /must ascend and end with the last block, 3/],
    [[2, 1, 3], /must ascend/],
    [[0, 4], /must ascend and end with the last block/],
  ])('refuses taps %j', (taps, message) => {
    const refused = () => attended({ taps });
    expect(refused).toThrowError(ConfigError);
    expect(refused).toThrowError(message);
    expect(refused).toThrowError(expect.objectContaining({ fields: { taps, last: 3 } }));
  });

  it('refuses a tap whose map is one cell, and a grid that is no tap', () => {
    const small = () => attended({}, { widths: [2, 2, 2, 2, 2] });
    expect(small).toThrowError(ConfigError);
    expect(small).toThrowError(/its map has one cell/);
    expect(() => attended({ modules: [] }, { widths: [2, 2, 2, 2, 2] })).not.toThrow();
    const off = () => attended({ grid: 0 });
    expect(off).toThrowError(ConfigError);
    expect(off).toThrowError(/it is not among the taps \[1, 2, 3\]/);
  });
});

it('dispose frees what init made', () => {
  const before = tensorCount();
  dispose(build({ encoder: { kind: 'cnn' }, head: GRU }).init(Random.from(1)));
  expect(tensorCount()).toBe(before);
});
