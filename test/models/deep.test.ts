import { beforeAll, describe, expect, it } from 'vitest';
import { buildModel, type Model } from '../../pipeline/models/index.js';
import { EVALUATION, isMoving } from '../../pipeline/nn/index.js';
import { Random } from '../../pipeline/random.js';
import {
  add,
  dispose,
  type Leaf,
  leaves,
  mul,
  openBackend,
  type ParameterTree,
  slice,
  sum,
  type Tensor,
  tensor,
  tensorCount,
  tidy,
  treeFrom,
  valueAndGradients,
} from '../../pipeline/tensor/index.js';
import { ModelConfig } from '../../schemas/config/index.js';
import { difference } from '../nn/fixtures.js';

beforeAll(async () => {
  await openBackend();
});

const SIZES = { densenet121: 64, resnet18: 16 } as const;
const CASES = [
  ['densenet121', {}],
  ['resnet18', { widths: [8, 12, 16, 24] }],
] as const;
type Kind = keyof typeof SIZES;

function build(kind: Kind, config: object, channels = 2): Model {
  const size = SIZES[kind];
  return buildModel(ModelConfig.parse({ encoder: { kind, attentionWidth: 8, ...config } }), {
    height: size,
    width: size,
    channels,
    season: 0,
  });
}

function maps(kind: Kind, frames: number, channels = 2): Tensor {
  const random = Random.from(5);
  const size = SIZES[kind];
  const shape = [frames, size, size, channels];
  return tensor(
    Float32Array.from({ length: frames * size * size * channels }, () => random.normal()),
    shape,
  );
}

/** The last kernel of the network that weighs taps starts at zero and shuts the path behind it: moved away from there. */
function stirred({ name, tensor: t }: Leaf): Leaf {
  if (!name.startsWith('encoder/attention/scale') || (t.dataSync() as Float32Array).some((v) => v !== 0))
    return { name, tensor: t };
  const moved = tensor(
    Float32Array.from({ length: t.size }, (_, i) => Math.cos(i)),
    t.shape,
  );
  t.dispose();
  return { name, tensor: moved };
}

/** Largest gradient of each leaf that learns, in training mode; frozen leaves and moments are no parameters of it. */
function gradients(model: Model, x: Tensor) {
  const all = leaves(model.init(Random.from(1))).map(stirred);
  const learns = (name: string) => !isMoving(name) && !model.isFrozen(name);
  const still = all.filter(({ name }) => !learns(name));
  const found = valueAndGradients<ParameterTree, Record<string, Tensor>>(
    treeFrom(all.filter(({ name }) => learns(name))),
    (p) => {
      const mode = { training: true, random: Random.from(2) };
      const { features, auxiliary, updates } = model.encode(treeFrom([...leaves(p), ...still]), x, mode);
      const weights = tensor(
        Float32Array.from({ length: features.size }, (_, i) => Math.sin(i)),
        features.shape,
      );
      return {
        loss: add(
          sum(mul(features, weights)),
          auxiliary!.map((one) => sum(one)).reduce((a, b) => add(a, b)),
        ),
        aux: updates ?? {},
      };
    },
  );
  const largest = new Map(
    leaves(found.gradients).map(({ name, tensor: t }) => [
      name,
      (t.dataSync() as Float32Array).reduce((most, g) => Math.max(most, Math.abs(g)), 0),
    ]),
  );
  const updates = Object.keys(found.aux);
  dispose([found.gradients, found.aux, ...all.map(({ tensor: t }) => t)]);
  return { largest, updates, names: all.map(({ name }) => name) };
}

describe.each(CASES)('%s', (kind, config) => {
  it('gives evidence, features that begin with it, a map and a tap at the end of each block', () => {
    const before = tensorCount();
    tidy(() => {
      const model = build(kind, config);
      const found = model.encode(model.init(Random.from(1), { logit: -2 }), maps(kind, 2), EVALUATION);
      expect(found.features.shape).toEqual([2, model.featureCount]);
      expect(found.map!.shape).toEqual([2, model.mapGrid.height, model.mapGrid.width]);
      expect(difference(found.evidence, slice(found.features, [0, 0], [2, 1]).dataSync())).toBe(0);
      expect(found.taps!).toHaveLength(4);
      const { height, width } = model.mapGrid;
      expect(found.taps![3].shape).toEqual([2, height, width, model.featureCount - 1]);
      expect(found.updates).toEqual({});
    });
    expect(tensorCount()).toBe(before);
  });

  it('sends a gradient to every parameter, and new moments to every norm', () => {
    const before = tensorCount();
    const x = maps(kind, 3);
    const { largest, updates, names } = gradients(build(kind, config), x);
    x.dispose();
    for (const name of names.filter((n) => !isMoving(n))) expect(largest.get(name), name).toBeGreaterThan(0);
    expect(updates.sort()).toEqual(names.filter(isMoving).sort());
    expect(tensorCount()).toBe(before);
  });

  it('frozen in front learns behind; frozen in the middle lets gradients through', () => {
    const x = maps(kind, 2);
    for (const freeze of [['stem', 'block1'], ['block2']]) {
      const model = build(kind, { ...config, freeze });
      const { largest, updates, names } = gradients(model, x);
      const frozen = names.filter((name) => model.isFrozen(name));
      expect(frozen.length).toBeGreaterThan(0);
      expect(frozen.every((name) => freeze.some((part) => name.includes(`backbone/${part}/`)))).toBe(true);
      expect(updates.some((name) => frozen.includes(name))).toBe(false);
      for (const name of names)
        if (!isMoving(name) && !frozen.includes(name)) expect(largest.get(name), name).toBeGreaterThan(0);
    }
    x.dispose();
  });

  it('with fixed norms gives a frame the same whatever its batch, in training too', () => {
    tidy(() => {
      const model = build(kind, { ...config, norm: 'fixed', dropout: 0 });
      const parameters = model.init(Random.from(1));
      const x = maps(kind, 3);
      const mode = { training: true, random: Random.from(2) };
      const whole = model.encode(parameters, x, mode);
      const alone = model.encode(parameters, slice(x, [1, 0, 0, 0], [1, ...x.shape.slice(1)]), mode);
      expect(whole.updates).toEqual({});
      const row = slice(whole.features, [1, 0], [1, model.featureCount]).dataSync();
      expect(difference(alone.features, row)).toBeLessThan(1e-4);
    });
  });

  it('carries attention at any of its blocks, each with its map and score, all trained', () => {
    const before = tensorCount();
    const x = maps(kind, 2);
    const model = build(kind, { ...config, attention: { taps: [0, 2, 3], hidden: 4 } });
    const { largest, names } = gradients(model, x);
    const own = names.filter((name) => name.startsWith('encoder/attention/'));
    expect(own.length).toBeGreaterThan(0);
    for (const name of own) expect(largest.get(name), name).toBeGreaterThan(0);
    tidy(() => {
      const found = model.encode(model.init(Random.from(1)), x, EVALUATION);
      expect(model.taps.map((tap) => tap.name)).toEqual(['block0', 'block2', 'block3']);
      const shapes = [0, 2, 3].map((block) => found.taps![block].shape.slice(0, 3));
      expect(found.looks!.map((map) => map.shape)).toEqual(shapes);
      expect(model.taps.map(({ height, width }) => [2, height, width])).toEqual(shapes);
      expect(found.map!.shape).toEqual([2, model.mapGrid.height, model.mapGrid.width]);
      expect(found.auxiliary).toHaveLength(3);
      expect(found.scale!.shape).toEqual([2, 3]);
    });
    x.dispose();
    expect(tensorCount()).toBe(before);
  });

  it('refuses gates that change what its blocks read', () => {
    expect(() => build(kind, { ...config, attention: { gate: 'inline' } })).toThrow(
      expect.objectContaining({ tag: 'ConfigError', fields: { kind, gate: 'inline' } }),
    );
  });

  it('refuses maps that shrink to one cell or none, and says how large they must be', () => {
    const small = { height: 5, width: 5, channels: 1, season: 0 };
    const work = () => buildModel(ModelConfig.parse({ encoder: { kind, ...config } }), small);
    expect(work).toThrow(
      expect.objectContaining({ tag: 'ConfigError', fields: expect.objectContaining({ kind }) }),
    );
  });
});

describe('densenet121 of Keras', () => {
  it('has the 7,037,504 parameters of Keras for three bands, and takes maps of 61 cells', () => {
    const model = buildModel(ModelConfig.parse({ encoder: { kind: 'densenet121' } }), {
      height: 61,
      width: 61,
      channels: 3,
      season: 0,
    });
    expect(model.mapGrid).toEqual({ height: 2, width: 2, margin: 0, stride: 32 });
    tidy(() => {
      const backbone = leaves(model.init(Random.from(0))).filter(({ name }) =>
        name.startsWith('encoder/backbone/'),
      );
      expect(backbone.reduce((n, { tensor: t }) => n + t.size, 0)).toBe(7_037_504);
    });
  });
});
