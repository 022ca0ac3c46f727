/**
 * Which weight of a Keras file is which leaf. Two ways of naming: a path that ends in layer and weight
 * (`.../conv1_bn/gamma:0`, Keras 2 and `.h5` of Keras 3), or numbered weights in numbered layers with the layer's name beside
 * them (`layers/conv2d_3/vars/0`). Models inside models only make paths longer.
 */
import type { FoundWeight } from './hdf5Thread.js';
import { type KerasLeaf, WEIGHTS } from './layout.js';

export interface Matched {
  taken: { leaf: KerasLeaf; weight: FoundWeight }[];
  missing: KerasLeaf[];
  /** Weights of the file that are no leaf: a top, other models, an optimiser's state. */
  extra: FoundWeight[];
  otherShape: { leaf: KerasLeaf; weight: FoundWeight }[];
  /** Leaves that several weights of the file could be. */
  twice: { leaf: KerasLeaf; weights: FoundWeight[] }[];
  /** The file names no layers: they were told by their order. */
  byOrder: boolean;
}

export function matchWeights(layout: readonly KerasLeaf[], weights: readonly FoundWeight[]): Matched {
  const keys = new Map<string, KerasLeaf>(
    layout.flatMap((leaf) => leaf.layers.map((l) => [`${l}/${leaf.weight}`, leaf] as const)),
  );
  const named = unnamed(weights)
    ? inOrder(layout, weights)
    : weights.map((weight) => ({ weight, names: namesOf(weight) }));
  const candidates = new Map<KerasLeaf, FoundWeight[]>();
  const extra: FoundWeight[] = [];
  for (const { weight, names } of named) {
    const leaf = names.map((name) => keys.get(name)).find((found) => found !== undefined);
    if (leaf) candidates.set(leaf, [...(candidates.get(leaf) ?? []), weight]);
    else extra.push(weight);
  }
  const matched: Matched = {
    taken: [],
    missing: [],
    extra,
    otherShape: [],
    twice: [],
    byOrder: unnamed(weights),
  };
  for (const leaf of layout) {
    const found = candidates.get(leaf) ?? [];
    if (found.length === 0) matched.missing.push(leaf);
    else if (found.length > 1) matched.twice.push({ leaf, weights: found });
    else if (fits(leaf, found[0])) matched.taken.push({ leaf, weight: found[0] });
    else matched.otherShape.push({ leaf, weight: found[0] });
  }
  return matched;
}

const fits = (leaf: KerasLeaf, { shape, dtype }: FoundWeight): boolean =>
  shape.join() === leaf.shape.join() && /^[<>=|]?[efd]$/.test(dtype);

/** `layer/weight` as the layout spells it, the longest layer name first: `conv1/bn` before `bn`. */
function namesOf(weight: FoundWeight): string[] {
  const words = weight.path.replace(/:\d+$/, '').split('/');
  if (/^optimi[sz]er/.test(words[0])) return [];
  const numbered = kindOf(words);
  if (numbered) return weight.layer ? [`${weight.layer}/${numbered.weight}`] : [];
  const [last] = words.splice(-1);
  return [2, 1].filter((n) => n <= words.length).map((n) => `${words.slice(-n).join('/')}/${last}`);
}

/** `[..., conv2d_3, vars, 0]` -> class, number and weight; null for other paths and layers without such weights. */
function kindOf(words: readonly string[]): { type: string; number: number; weight: string } | null {
  const [layer, vars, index] = words.slice(-3);
  if (vars !== 'vars' || !/^\d+$/.test(index ?? '')) return null;
  const [, type, number] = /^(.*?)(?:_(\d+))?$/.exec(layer)!;
  const weights = type === 'batch_normalization' ? WEIGHTS.slice(2) : WEIGHTS.slice(0, 2);
  return { type, number: Number(number ?? 0), weight: weights[Number(index)] ?? index };
}

/** Numbered weights without a name anywhere, as the first versions of Keras 3 wrote them. */
const unnamed = (weights: readonly FoundWeight[]): boolean =>
  weights.some(({ path }) => kindOf(path.split('/')) !== null) &&
  weights.every(({ layer }) => layer === null);

/** Convolutions and norms counted through, where there are as many as the layout has. */
function inOrder(layout: readonly KerasLeaf[], weights: readonly FoundWeight[]) {
  const order = {
    conv2d: [...new Set(layout.filter((l) => l.weight === 'kernel').map((l) => l.layers[0]))],
    batch_normalization: [...new Set(layout.filter((l) => l.weight === 'gamma').map((l) => l.layers[0]))],
  };
  const numbers = (type: string) =>
    [
      ...new Set(
        weights
          .map(({ path }) => kindOf(path.split('/')))
          .filter((k) => k?.type === type)
          .map((k) => k!.number),
      ),
    ].sort((a, b) => a - b);
  const places = new Map(
    Object.entries(order).flatMap(([type, layers]) => {
      const found = numbers(type);
      return found.length === layers.length ? found.map((n, i) => [`${type} ${n}`, layers[i]] as const) : [];
    }),
  );
  return weights.map((weight) => {
    const kind = kindOf(weight.path.split('/'));
    const layer = kind && places.get(`${kind.type} ${kind.number}`);
    return { weight, names: layer ? [`${layer}/${kind.weight}`] : [] };
  });
}
