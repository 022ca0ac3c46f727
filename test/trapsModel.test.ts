/**
 * Mistakes that people really made with models, losses, training and figures, each shown to be impossible or refused;
 * those with labels, order, windows and splits are in traps.test.ts.
 */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../pipeline/errors.js';
import { evaluateScores, judgedFrames, predictFrames } from '../pipeline/labelling/index.js';
import { buildModel, type Encoded, type Model } from '../pipeline/models/index.js';
import { EVALUATION } from '../pipeline/nn/index.js';
import { Random } from '../pipeline/random.js';
import {
  partMask,
  segments,
  TEST,
  TRAIN,
  timeline,
  VALIDATION,
  windows,
} from '../pipeline/sequences/index.js';
import { memoryStore } from '../pipeline/shards/store.js';
import {
  add,
  concat,
  dispose,
  leaves,
  mean,
  openBackend,
  type ParameterTree,
  reshape,
  sigmoid,
  slice,
  sum,
  type Tensor,
  tensor,
  tensorCount,
  tidy,
  valueAndGradients,
  zeros,
} from '../pipeline/tensor/index.js';
import { makeBatch } from '../pipeline/training/batch.js';
import { fitModel } from '../pipeline/training/index.js';
import { lossValues } from '../pipeline/training/loss.js';
import { trainer } from '../pipeline/training/trainer.js';
import { modelConfig, small, trainingConfig } from './training/fixture.js';

const made = small();
const { store, labels, split } = made;
const { index, description } = store;
const TIME = 6;
const SHAPE = { height: 10, width: 10, channels: 2, season: 0 };
const GRU = { kind: 'gru', units: 3 };
const ENCODERS = [
  ['evidence', { kind: 'evidence', widths: [4] }],
  ['cnn', { kind: 'cnn', widths: [4, 6] }],
] as const;
const build = (encoder: object, head: object = GRU) =>
  buildModel(modelConfig({ encoder, head } as never), SHAPE);

const slots = timeline(index, description.stepMs, {
  parts: partMask(split.part, TRAIN),
  gaps: 'split',
  longestFill: 0,
});
const all = windows(slots.segments, { length: TIME, stride: 1 });
const batch = makeBatch({ index, labels, timeline: slots, windows: all, season: false }, [0, 4, 20]);
const pixels = (() => {
  const random = Random.from(9);
  return Float32Array.from({ length: batch.frames.length * 200 }, () => random.normal());
})();
const frames = () => tensor(pixels, [batch.frames.length, 10, 10, 2]);

let before = 0;
beforeAll(async () => {
  await openBackend();
});
beforeEach(() => {
  before = tensorCount();
});
afterEach(() => expect(tensorCount()).toBe(before));

describe('an encoder that was built and never called', () => {
  /** "It compiled without errors": each map becomes the means of its bands, the convolutions hang in the air. */
  const unused = (model: Model): Model => ({
    ...model,
    encode(_parameters, x): Encoded {
      const means = mean(x, [1, 2]); // [frames, bands]
      const rest = zeros([x.shape[0], model.featureCount - 2]);
      return {
        evidence: reshape(slice(means, [0, 0], [x.shape[0], 1]), [x.shape[0]]),
        features: concat([means, rest], 1),
        map: null,
      };
    },
  });
  const firstStep = (model: Model) => {
    const start = model.init(Random.from(1));
    const training = trainingConfig({ steps: 4 });
    const run = trainer({
      model,
      training,
      seed: 1,
      steps: 4,
      start,
      centres: new Int32Array(index.length).fill(-1),
      imbalance: { positives: 1, negatives: 1, positiveWeight: 1, prior: 0, startLogit: 0 },
      noise: new Float32Array(2),
    });
    const x = frames();
    try {
      run.step(batch, x, 0);
    } finally {
      dispose([start, x]);
      run.dispose();
    }
  };

  it('stops training at step 1 and names every parameter that takes no part', () => {
    const model = build({ kind: 'cnn', widths: [4, 6], norm: 'none' });
    const start = model.init(Random.from(1));
    const encoder = leaves(start).flatMap(({ name }) => (name.startsWith('encoder/') ? [name] : []));
    dispose(start);
    let error: unknown;
    try {
      firstStep(unused(model));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ConfigError);
    const { parameters } = (error as ConfigError).fields as { parameters: string[] };
    expect(encoder.length).toBeGreaterThan(8);
    expect([...parameters].sort()).toEqual([...encoder].sort());
    expect(() => firstStep(model)).not.toThrow();
  });

  it.each(ENCODERS)(
    'cannot pass as %s: what happens inside a map changes its logit, its mean alone says nothing',
    (_, encoder) => {
      const model = build(encoder, { kind: 'none' });
      const start = model.init(Random.from(1));
      const moved = pixels.slice(0, 200);
      for (let i = 0; i < 200; i += 2) [moved[i], moved[198 - i]] = [pixels[198 - i], pixels[i]]; // same mean
      moved[0] += 4;
      moved[100] -= 4;
      const logits = [pixels.subarray(0, 200), moved].map((values) => {
        const x = tensor(values, [1, 10, 10, 2]);
        const found = tidy(() => model.encode(start, x, EVALUATION).evidence.dataSync()[0]);
        x.dispose();
        return found;
      });
      expect(logits[1]).not.toBeCloseTo(logits[0], 4);
      dispose(start);
    },
  );
});

describe('one answer for a whole window', () => {
  /** Logits `[3, 6, 1]` of the batch and how they depend on what the head gives. */
  const logitsOf = (model: Model, start: ParameterTree, shift = 0): Tensor =>
    tidy(() => {
      const x = frames();
      const { features } = model.encode(start, x, EVALUATION);
      const inputs = { season: null, valid: null, state: null };
      const seen = reshape(features, [batch.batch, TIME, model.featureCount]);
      return add(model.head(start, { ...inputs, features: seen }, EVALUATION).logits, shift);
    });

  it.each(ENCODERS)('cannot be with %s: the head gives a logit a frame', (_, encoder) => {
    for (const head of [GRU, { kind: 'none' }]) {
      const model = build(encoder, head);
      const start = model.init(Random.from(1));
      const logits = logitsOf(model, start);
      expect(logits.shape).toEqual([batch.batch, TIME, 1]);
      expect(new Set(logits.dataSync()).size).toBe(batch.batch * TIME);
      dispose([start, logits]);
    }
  });

  it('is not shared out over time: "none" and "all" of a window can both be said', () => {
    const model = build({ kind: 'evidence', widths: [4] });
    const start = model.init(Random.from(1));
    const totals = [-20, 20].map((shift) => {
      const p = tidy(() => sum(sigmoid(logitsOf(model, start, shift)), 1));
      const found = [...p.dataSync()];
      p.dispose();
      return found;
    });
    for (const total of totals[0]) expect(total).toBeLessThan(0.01);
    for (const total of totals[1]) expect(total).toBeGreaterThan(TIME - 0.01);
    dispose(start);
  });

  it.each(['bce', 'weighted', 'focal'] as const)(
    'is not what %s is computed on: the label of frame t moves loss term t and the gradient of logit t alone',
    (kind) => {
      const z = tensor([-2, -0.5, 0.3, 1, 2, -1], [TIME]);
      const label = Float32Array.of(0, 1, 0, 0, 1, 0);
      const run = (y: Float32Array) => {
        const { gradients, aux } = valueAndGradients({ z }, (p) => {
          const terms = lossValues(kind, p.z, tensor(y, [TIME]), 3);
          return { loss: sum(terms), aux: terms };
        });
        const found = { terms: [...aux!.dataSync()], slope: [...gradients.z.dataSync()] };
        dispose([aux!, gradients]);
        return found;
      };
      const before = run(label);
      for (let t = 0; t < TIME; t++) {
        const after = run(label.map((y, k) => (k === t ? 1 - y : y)));
        for (const key of ['terms', 'slope'] as const)
          for (let k = 0; k < TIME; k++)
            expect(after[key][k] !== before[key][k], `${key} ${k}`).toBe(k === t);
      }
      z.dispose();
    },
  );

  it.each(['bce', 'weighted', 'focal'] as const)(
    'has %s teach from windows without any storm, and from windows of storm only',
    (kind) => {
      for (const label of [0, 1]) {
        const z = tensor([-60, -3, 0, 3, 60, 1], [TIME]);
        const { loss, gradients } = valueAndGradients({ z }, (p) => ({
          loss: sum(lossValues(kind, p.z, tensor(new Float32Array(TIME).fill(label), [TIME]), 3)),
        }));
        const slope = [...gradients.z.dataSync()];
        expect(Number.isFinite(loss)).toBe(true);
        for (const s of slope) expect(Number.isFinite(s)).toBe(true);
        for (const s of slope.slice(1, 4)) expect(Math.sign(s)).toBe(label ? -1 : 1);
        dispose([z, gradients]);
      }
    },
  );
});

describe('a backbone that should stand still', () => {
  it('does: scoring frames changes no parameter, the moments of batch norm included', async () => {
    const trained = await fitModel({
      ...made,
      model: modelConfig({ encoder: { kind: 'cnn', widths: [4, 6] }, head: GRU } as never),
      training: trainingConfig({ steps: 4 }),
    });
    const values = () =>
      trained.members.flatMap((m) => leaves(m).map(({ name, tensor: t }) => [name, ...t.dataSync()]));
    const before = values();
    expect(before.some(([name]) => /moving/i.test(String(name)))).toBe(true);
    const one = await predictFrames(trained, store, [3, 4, 5]);
    const two = await predictFrames(trained, store, [3, 4, 5]);
    expect(values()).toEqual(before);
    expect(two.logit).toEqual(one.logit);
    for (const member of trained.members) dispose(member);
  });
});

describe('validation data', () => {
  const validationAp = async (change: (label: Int8Array) => void, spoil: number | null = null) => {
    const label = labels.label.slice();
    change(label);
    const size = 200;
    const values = new Float32Array(index.length * size);
    await store.read(
      Array.from({ length: index.length }, (_, f) => f),
      { values, valid: new Uint8Array(index.length * 100) },
    );
    if (spoil !== null)
      for (let f = 0; f < index.length; f++)
        if (split.part[f] === spoil) values.fill(1e4, f * size, (f + 1) * size);
    let note = '';
    const trained = await fitModel({
      ...made,
      store: memoryStore({ description, index, values, hash: store.hash }),
      labels: { ...labels, label },
      model: modelConfig({ encoder: { kind: 'evidence', widths: [4] } }),
      training: trainingConfig({ steps: 6, evaluateEvery: 6, patience: 5 }),
      onProgress: (p) => {
        if (p.stage === 'train') note = p.note ?? '';
      },
    });
    const weights = leaves(trained.members[0]).map(({ tensor: t }) => [...t.dataSync()]);
    for (const member of trained.members) dispose(member);
    return { ap: /AP ([\d.]+)/.exec(note)?.[1], weights };
  };
  const flip = (part: number) => (label: Int8Array) => {
    for (let f = 0; f < label.length; f++) if (split.part[f] === part) label[f] = 1 - label[f];
  };

  it('is used: the average precision shown hangs on its labels, the steps do not, and neither on the test part', async () => {
    const plain = await validationAp(() => {});
    expect(plain.ap).toBeDefined();
    const other = await validationAp(flip(VALIDATION));
    expect(other.ap).not.toBe(plain.ap);
    expect(other.weights).toEqual(plain.weights);
    expect(await validationAp(flip(TEST), TEST)).toEqual(plain);
  });
});

describe('figures', () => {
  const evaluate = (predicted: ArrayLike<number>, frames: ArrayLike<number>) =>
    evaluateScores({
      index,
      stepMs: description.stepMs,
      labels,
      frames,
      score: predicted,
      probability: predicted,
      predicted,
    });

  it('are of every test frame that has a label, not of the last windows', () => {
    const test = judgedFrames(index, labels, split.part, [TEST]);
    expect(test.length).toBe([...split.part].filter((part) => part === TEST).length);
    // Right on the last window only: a measure of the last window would be perfect.
    const last = segments(index, description.stepMs, { parts: partMask(split.part, TEST) }).at(-1)!;
    const from = last.start + last.length - TIME;
    const right = Array.from(labels.label, (y, f) => (f >= from ? y : 1 - y));
    const { n, auroc, csi } = evaluate(right, test);
    expect(n).toBe(test.length);
    expect(auroc.value).toBeLessThan(0.5);
    expect(csi.value).toBeLessThan(0.5);
  });

  it('hold no accuracy: a model that never says storm scores nothing, however rare storms are', () => {
    const frames = judgedFrames(index, labels);
    const never = evaluate(new Float64Array(index.length), frames);
    expect(Object.keys(never).filter((key) => /accuracy/i.test(key))).toEqual([]);
    expect(never.pod.value).toBe(0);
    expect(never.csi.value).toBe(0);
    expect(never.hss.value).toBe(0);
    expect(never.auroc.value).toBe(0.5);
    expect(never.ap.value).toBeCloseTo(never.positives / never.n, 12);
    expect(never.far).toMatchObject({ value: null, reason: expect.any(String) });
  });
});
