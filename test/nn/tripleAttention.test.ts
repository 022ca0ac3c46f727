import { beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../pipeline/errors.js';
import { EVALUATION, elementAttention, resizeMaps, tripleAttention } from '../../pipeline/nn/index.js';
import { Random } from '../../pipeline/random.js';
import {
  add,
  dispose,
  leaves,
  mul,
  openBackend,
  type ParameterTree,
  reshape,
  sub,
  sum,
  type Tensor,
  tensor,
  tensorCount,
  tidy,
  valueAndGradients,
} from '../../pipeline/tensor/index.js';
import { lossValues, maskedMean } from '../../pipeline/training/loss.js';
import { difference, fixture, flat, hasFixtures, toTensor } from './fixtures.js';
import { golden, relativeDifference, unpacked, unpackedTree } from './golden.js';

const reference = golden('attention');
const CHANNELS = [3, 4, 5];

beforeAll(async () => {
  await openBackend();
});

const module = (more: object = {}) =>
  tripleAttention.build({ channels: CHANNELS, classes: 2, grid: 1, ...more });
type Tree = tripleAttention.Parameters & ParameterTree;
const stored = () => unpackedTree(reference.parameters) as Tree;
const taps = (): Tensor[] => reference.taps.map(unpacked);
const bce = (logits: Tensor): Tensor =>
  maskedMean(
    lossValues('weighted', logits, unpacked(reference.labels), reference.positiveWeight),
    tensor([1, 1, 1, 1], [2, 2]),
    4,
  );
/** Gradients by leaf, the taps among them as `x0`, `x1`, …; every leaf without a path is null. */
function gradientsOf(loss: (found: tripleAttention.Attended) => Tensor, more: object = {}) {
  const own = module(more);
  const tree = { ...stored(), ...Object.fromEntries(taps().map((x, l) => [`x${l}`, x])) } as ParameterTree;
  const names = leaves(tree).map(({ name }) => name);
  const { loss: value, gradients } = valueAndGradients(tree, (all) => {
    const { x0, x1, x2, ...parameters } = all as Record<string, Tensor>;
    const found = own.apply(parameters as unknown as Tree, [x0, x1, x2], EVALUATION);
    return { loss: loss(found) };
  });
  const found = new Map(leaves(gradients).map(({ name, tensor: t }) => [name, t.dataSync()]));
  dispose([tree, gradients]);
  return { value, gradients: new Map(names.map((name) => [name, found.get(name) ?? null])) };
}
const isSilent = (gradient: ArrayLike<number> | null | undefined): boolean =>
  !gradient || Array.from(gradient).every((v) => v === 0);

describe('triple attention over three taps of different width', () => {
  it('gives the logits, scores, maps and scale weights of the reference, and leaves no tensor behind', () => {
    const before = tensorCount();
    tidy(() => {
      const found = module().apply(stored(), taps(), EVALUATION);
      expect(difference(found.logits, reference.logits.values)).toBeLessThan(2e-6);
      for (const [l, score] of found.scores.entries()) {
        expect(difference(score, reference.scores[l].values)).toBeLessThan(2e-6);
        expect(difference(found.attention[l], reference.attention[l].values)).toBeLessThan(1e-6);
      }
      expect(difference(found.weights!, reference.beta.values)).toBeLessThan(1e-6);
      expect(difference(found.looked!, reference.looked.values)).toBeLessThan(1e-6);
      const sigmoid = module({ pass: 'sigmoid' }).apply(stored(), taps(), EVALUATION);
      expect(difference(sigmoid.logits, reference.passedSigmoid.values)).toBeLessThan(2e-6);
    });
    expect(tensorCount()).toBe(before);
  });

  it('gives the loss and the gradient of the reference for every parameter and tap', () => {
    const before = tensorCount();
    const { value, gradients } = gradientsOf(({ logits, scores }) =>
      add(bce(logits), mul(scores.map(bce).reduce(add), reference.lambda)),
    );
    expect(value).toBeCloseTo(reference.loss, 5);
    for (const [name, gradient] of gradients)
      expect(relativeDifference(gradient!, reference.gradients[name]), name).toBeLessThan(2e-5);
    expect(tensorCount()).toBe(before);
  });

  it('sends the auxiliary loss of a tap to its own attention and what lies before it, and nowhere else', () => {
    const { gradients } = gradientsOf(({ scores }) => bce(scores[1]));
    for (const [name, gradient] of gradients) {
      const expected = reference.auxiliaryGradients[name];
      const own = /^(tap1|x1)/.test(name);
      expect(isSilent(gradient), name).toBe(!own);
      if (own) expect(relativeDifference(gradient!, expected), name).toBeLessThan(2e-5);
      else expect(isSilent(expected), name).toBe(true);
    }
  });

  it('trains the attention alone under detach: its losses reach no tap, the main output still reaches the last', () => {
    const auxiliary = gradientsOf(({ scores }) => scores.map(bce).reduce(add), { detach: true }).gradients;
    for (const l of [0, 1, 2]) {
      expect(isSilent(auxiliary.get(`x${l}`))).toBe(true);
      for (const name of ['element/squeeze/kernel', 'element/logits/kernel', 'element/linear/kernel'])
        expect(isSilent(auxiliary.get(`tap${l}/${name}`)), name).toBe(false);
    }
    const main = gradientsOf(({ logits }) => bce(logits), { detach: true }).gradients;
    expect([0, 1, 2].map((l) => isSilent(main.get(`x${l}`)))).toEqual([true, true, false]);
  });

  it('changes no number of the forward pass under detach', () => {
    tidy(() => {
      const found = module({ detach: true }).apply(stored(), taps(), EVALUATION);
      expect(difference(found.logits, reference.logits.values)).toBeLessThan(2e-6);
    });
  });

  it('weighs taps with numbers that sum to 1, all the same before anything is learned', () => {
    tidy(() => {
      const parameters = module().init(Random.from(1));
      const { weights } = module().apply(parameters, taps(), EVALUATION);
      for (const weight of weights!.dataSync()) expect(weight).toBeCloseTo(1 / 3, 6);
      const totals = sum(module().apply(stored(), taps(), EVALUATION).weights!, 1).dataSync();
      for (const total of totals) expect(total).toBeCloseTo(1, 6);
    });
  });

  it('is the element attention itself with one tap, its scale weight 1', () => {
    tidy(() => {
      const one = (modules: ('channel' | 'element' | 'scale')[]) =>
        tripleAttention.build({ channels: [4], classes: 2, modules });
      const parameters = one(['element']).init(Random.from(3), { bias: -1 });
      const [, x] = taps();
      const plain = one(['element']).apply(parameters, [x], EVALUATION);
      const scaled = one(['element', 'scale']).apply(parameters, [x], EVALUATION);
      expect(difference(scaled.logits, plain.logits.dataSync())).toBeLessThan(1e-6);
      expect([...scaled.weights!.dataSync()]).toEqual([1, 1, 1, 1]);
      const own = elementAttention.apply(parameters.tap0!.element!, x);
      expect(difference(scaled.scores[0], own.score.dataSync())).toBe(0);
    });
  });

  it('hands twice the gated maps on where gates are inline, and the maps as they are where they branch', () => {
    tidy(() => {
      const [x] = taps();
      const parameters = stored();
      expect(module().onward(parameters, 0, x)).toBe(x);
      const inline = module({ gate: 'inline' }).onward(parameters, 0, x);
      const { gate } = parameters.tap0!;
      const squeezed = reshape(x, [2, 48, 3]).arraySync() as number[][][];
      for (const [f, cells] of squeezed.entries()) {
        const means = [0, 1, 2].map((c) => cells.reduce((t, cell) => t + cell[c], 0) / 48);
        const down = gate!.down.kernel.arraySync() as number[][];
        const up = gate!.up.kernel.arraySync() as number[][];
        const hidden = [0, 1].map((j) =>
          Math.max(
            0,
            means.reduce((t, m, c) => t + m * down[c][j], 0),
          ),
        );
        const u = [0, 1, 2].map((c) => 1 / (1 + Math.exp(-hidden.reduce((t, h, j) => t + h * up[j][c], 0))));
        const onward = (reshape(inline, [2, 48, 3]).arraySync() as number[][][])[f];
        for (const [i, cell] of cells.entries())
          for (const c of [0, 1, 2]) expect(onward[i][c]).toBeCloseTo(2 * u[c] * cell[c], 5);
      }
    });
  });

  it('is a plain network without modules: pooled maps and one linear layer', () => {
    tidy(() => {
      const plain = tripleAttention.build({ channels: [5], modules: [] });
      const parameters = plain.init(Random.from(1), { bias: -2 });
      const found = plain.apply(parameters, [taps()[2]], EVALUATION);
      expect(leaves(parameters as ParameterTree).map(({ name }) => name)).toEqual([
        'output/kernel',
        'output/bias',
      ]);
      expect(found).toMatchObject({ scores: [], attention: [], weights: null, looked: null });
      const [bias] = parameters.output.bias!.dataSync();
      expect(bias).toBe(-2);
    });
  });

  it('has logits near the start value before anything is learned', () => {
    tidy(() => {
      for (const more of [{}, { score: 'mean' }, { pass: 'sigmoid' }, { modules: ['channel'] }]) {
        const own = tripleAttention.build({ channels: CHANNELS, ...more } as tripleAttention.Config);
        const zero = taps().map((x) => sub(x, x));
        const [logit] = own.apply(own.init(Random.from(2), { bias: -3 }), zero, EVALUATION).logits.dataSync();
        expect(Math.abs(logit + 3), JSON.stringify(more)).toBeLessThan(0.6);
      }
    });
  });
});

describe.skipIf(!hasFixtures)('the forms of element attention', () => {
  const found = (form: elementAttention.Form) => {
    const f = fixture('triple_attention');
    const parameters: elementAttention.Parameters = {
      squeeze: { kernel: toTensor(f.k1, 1, 1), bias: toTensor(f.c1) },
      spread: { kernel: toTensor(f.k2), bias: toTensor(f.c2) },
      logits: { kernel: toTensor(f.k3, 1, 1) },
      linear: { kernel: toTensor(f.ks, 1, 1), bias: toTensor(f.cs) },
    };
    const gate = reshape(toTensor(f.u), [2, 1, 1, 8]);
    return { f, ...elementAttention.apply(parameters, mul(toTensor(f.X), gate), form) };
  };

  it('weigh classes and take the mean as the reference does', () => {
    tidy(() => {
      const { f, attention, score } = found({ softmax: 'classes', score: 'mean' });
      expect(difference(attention, flat(f.A_class))).toBeLessThan(1e-6);
      expect(difference(score, flat(f.score_class_gap))).toBeLessThan(1e-6);
    });
  });

  it('pass U = A sigmoid(S) on as the reference does, and leave the score as it is', () => {
    tidy(() => {
      const { f, passed, score } = found({ pass: 'sigmoid' });
      expect(difference(passed, flat(f.U_srn))).toBeLessThan(1e-6);
      expect(difference(score, flat(f.score_spatial_sum))).toBeLessThan(1e-6);
    });
  });
});

describe('attention that would be the constant 1', () => {
  it('is refused over the classes of one class, with the cure', () => {
    const refused = () => tripleAttention.build({ channels: [4], softmax: 'classes' });
    expect(refused).toThrowError(ConfigError);
    expect(refused).toThrowError(expect.objectContaining({ hint: 'set attention.softmax: locations' }));
  });

  it('is refused over a map of one cell, with the cure', () => {
    tidy(() => {
      const parameters = elementAttention.init({ in: 4 }, Random.from(1));
      const refused = () => elementAttention.apply(parameters, tensor([1, 2, 3, 4], [1, 1, 1, 4]));
      expect(refused).toThrowError(ConfigError);
      expect(refused).toThrowError(
        expect.objectContaining({ fields: { softmax: 'locations', height: 1, width: 1 } }),
      );
    });
  });

  it('cannot be weighed over scales without maps', () => {
    const refused = () => tripleAttention.build({ channels: [4, 4], modules: ['channel', 'scale'] });
    expect(refused).toThrowError(ConfigError);
    expect(refused).toThrowError(/without element attention/);
  });
});

describe('resizeMaps()', () => {
  it('takes half-pixel centres: a ramp doubled and halved', () => {
    tidy(() => {
      const ramp = tensor([0, 1, 2, 3], [1, 1, 4, 1]);
      expect([...resizeMaps(ramp, [1, 8]).dataSync()]).toEqual([0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]);
      expect([...resizeMaps(ramp, [1, 2]).dataSync()]).toEqual([0.5, 2.5]);
      expect(resizeMaps(ramp, [1, 4])).toBe(ramp);
    });
  });
});
