import { beforeAll, describe, expect, it } from 'vitest';
import { buildModel, type Model } from '../../pipeline/models/index.js';
import { temporal } from '../../pipeline/models/temporal.js';
import { EVALUATION, normals } from '../../pipeline/nn/index.js';
import { Random } from '../../pipeline/random.js';
import {
  add,
  leaves,
  mapTree,
  mul,
  openBackend,
  type ParameterTree,
  slice,
  type Tensor,
  tensor,
  tensorCount,
  tidy,
} from '../../pipeline/tensor/index.js';
import { HeadConfig, ModelConfig } from '../../schemas/config/index.js';
import { difference } from '../nn/fixtures.js';
import { golden, unpacked, unpackedTree } from '../nn/golden.js';

beforeAll(async () => {
  await openBackend();
});

const [BATCH, TIME] = [3, 11];
const noise = (shape: number[], seed: number): Tensor =>
  tensor(
    normals(
      shape.reduce((a, b) => a * b, 1),
      Random.from(seed),
    ),
    shape,
  );
const build = (head: object): Model =>
  buildModel(
    ModelConfig.parse({ encoder: { kind: 'cnn', widths: [3, 4] }, head, channels: { season: true } }),
    {
      height: 6,
      width: 6,
      channels: 2,
      season: 4,
    },
  );
/** Away from the zeros that outputs start with. */
const stirred = (model: Model): ParameterTree =>
  mapTree(model.init(Random.from(1)), (t, name) => add(mul(noise(t.shape, name.length + t.size), 0.3), t));
const inputs = (model: Model) => ({
  features: noise([BATCH, TIME, model.featureCount], 5),
  season: noise([BATCH, TIME, 4], 6),
});
const mask = repeated([1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1], BATCH * TIME);
function repeated(pattern: number[], length: number): number[] {
  return Array.from({ length }, (_, i) => pattern[i % pattern.length]);
}

const CAUSAL = [
  { kind: 'gru', units: 5 },
  { kind: 'gru', units: 5, reset: 'before' },
  { kind: 'lstm', units: 5 },
  { kind: 'tcn', units: 5 },
  { kind: 'tcn', units: 4, kernel: 2, dilations: [1, 2, 4, 8] },
];
const BOTH = [
  { kind: 'gru', units: 4, bidirectional: true },
  { kind: 'lstm', units: 4, bidirectional: true },
];

describe.each(CAUSAL)('causal head $kind $reset $dilations', (head) => {
  it('gives the same frame by frame, with the state carried, as over the whole sequence, bad frames among them', () => {
    const before = tensorCount();
    tidy(() => {
      const model = build(head);
      const parameters = stirred(model);
      const { features, season } = inputs(model);
      for (const valid of [null, tensor(mask, [BATCH, TIME])]) {
        const whole = model.head(parameters, { features, season, valid, state: null }, EVALUATION);
        let state: Tensor | null = null;
        for (let t = 0; t < TIME; t++) {
          const at = (x: Tensor) => slice(x, [0, t, 0], [BATCH, 1, x.shape[2]!]);
          const step = model.head(
            parameters,
            {
              features: at(features),
              season: at(season),
              valid: valid && slice(valid, [0, t], [BATCH, 1]),
              state,
            },
            EVALUATION,
          );
          expect(difference(step.logits, at(whole.logits).dataSync())).toBeLessThan(1e-5);
          expect(step.state!.shape).toEqual([BATCH, model.stateSize]);
          state = step.state;
        }
        expect(difference(state!, whole.state!.dataSync())).toBeLessThan(1e-5);
      }
    });
    expect(tensorCount()).toBe(before);
  });

  it('says nothing new about a frame when later frames change, and says so of itself', () => {
    tidy(() => {
      const model = build(head);
      expect(model.causal).toBe(true);
      const parameters = stirred(model);
      const { features, season } = inputs(model);
      const later = tensor(
        Array.from({ length: TIME }, (_, t) => Number(t >= 6)),
        [1, TIME, 1],
      );
      const run = (x: Tensor) =>
        model
          .head(parameters, { features: x, season, valid: null, state: null }, EVALUATION)
          .logits.dataSync();
      const [plain, changed] = [run(features), run(add(features, later))];
      for (let i = 0; i < BATCH * TIME; i++) expect(plain[i] === changed[i]).toBe(i % TIME < 6);
    });
  });

  it('leaves the state as it is at a bad frame, whatever stands in it', () => {
    tidy(() => {
      const model = build(head);
      const parameters = stirred(model);
      const { features, season } = inputs(model);
      const run = (x: Tensor, valid: Tensor | null, state: Tensor | null) =>
        model.head(parameters, { features: x, season, valid, state }, EVALUATION).state!;
      const first = run(features, null, null);
      const none = tensor(new Float32Array(BATCH * TIME), [BATCH, TIME]);
      expect(difference(run(add(features, 3), none, first), first.dataSync())).toBeLessThan(1e-6);
    });
  });

  it('starts from what the frames alone say', () => {
    tidy(() => {
      const model = build(head);
      const { features, season } = inputs(model);
      const parameters = model.init(Random.from(1));
      const { logits } = model.head(parameters, { features, season, valid: null, state: null }, EVALUATION);
      expect(difference(logits, slice(features, [0, 0, 0], [BATCH, TIME, 1]).dataSync())).toBeLessThan(1e-6);
    });
  });
});

describe.each(BOTH)('bidirectional head $kind', (head) => {
  it('hears of later frames too, carries no state, and says that it is not causal', () => {
    tidy(() => {
      const model = build(head);
      expect(model.causal).toBe(false);
      const parameters = stirred(model);
      const { features, season } = inputs(model);
      const later = tensor(
        Array.from({ length: TIME }, (_, t) => Number(t === 9)),
        [1, TIME, 1],
      );
      const run = (x: Tensor) =>
        model.head(parameters, { features: x, season, valid: null, state: null }, EVALUATION);
      const [plain, changed] = [run(features), run(add(features, later))];
      expect(plain.state).toBeNull();
      expect(plain.logits.dataSync()[0]).not.toBe(changed.logits.dataSync()[0]);
    });
  });

  it('reads a window with padding in front as the window alone', () => {
    tidy(() => {
      const model = build(head);
      const parameters = stirred(model);
      const { features, season } = inputs(model);
      const part = (x: Tensor) => slice(x, [0, 4, 0], [BATCH, TIME - 4, x.shape[2]!]);
      const valid = tensor(
        Array.from({ length: BATCH * TIME }, (_, i) => Number(i % TIME >= 4)),
        [BATCH, TIME],
      );
      const padded = model.head(parameters, { features, season, valid, state: null }, EVALUATION);
      const alone = model.head(
        parameters,
        { features: part(features), season: part(season), valid: null, state: null },
        EVALUATION,
      );
      expect(difference(part(padded.logits), alone.logits.dataSync())).toBeLessThan(1e-6);
    });
  });
});

it("a bidirectional GRU equals PyTorch's", () => {
  tidy(() => {
    const { units, x, y, parameters } = golden('attention').bidirectional;
    const reader = temporal(HeadConfig.parse({ kind: 'gru', units, bidirectional: true }), 2)!;
    const found = reader.apply(unpackedTree(parameters), { x: unpacked(x), mask: null, state: null });
    expect(difference(found.y, y.values)).toBeLessThan(1e-6);
  });
});

it('every parameter of every head has a name of its own under head/', () => {
  tidy(() => {
    for (const head of [...CAUSAL, ...BOTH]) {
      const names = leaves(build(head).init(Random.from(1))).map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      expect(names.filter((name) => name.startsWith(`head/${head.kind}/`)).length).toBeGreaterThan(2);
    }
  });
});
