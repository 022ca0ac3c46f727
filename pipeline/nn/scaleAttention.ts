/**
 * Attention over scales: the maps M_l of several taps, brought to one grid, weighed by what they say [our choice of form]:
 *   beta_lc = softmax over l of W2 tanh(W1 [sums of M_l] + b1) + b2;  F = sum over l of beta_lc M_l
 * The network reads sums over locations, GAP times the number of cells, so that its inputs have the size of scores.
 */
import * as z from 'zod';
import { Count } from '../../schemas/config/index.js';
import type { Random } from '../random.js';
import {
  add,
  concat,
  div,
  mul,
  ones,
  reshape,
  slice,
  softmax,
  sum,
  type Tensor,
  tanh,
} from '../tensor/index.js';
import * as linear from './linear.js';
import { resizeMaps } from './resizeMaps.js';

export const Config = z.strictObject({ taps: Count, classes: Count.default(1), hidden: Count.default(16) });
export type Config = z.input<typeof Config>;
/** Nothing to learn for one tap, whose weight is 1. */
export type Parameters = { hidden?: linear.Parameters; output?: linear.Parameters };

/** `output` starts at zero: all taps weigh the same until something is learned. */
export function init(config: Config, random: Random): Parameters {
  const { taps, classes, hidden } = Config.parse(config);
  if (taps === 1) return {};
  const size = taps * classes;
  return {
    hidden: linear.init({ in: size, out: hidden }, random.key('hidden')),
    output: linear.init({ in: hidden, out: size, start: 'zero' }, random.key('output')),
  };
}

export interface Inputs {
  /** Of each tap `[frames, h_l, w_l, classes]`. */
  maps: readonly Tensor[];
  /** Attention A of each tap, the same shapes. */
  attention: readonly Tensor[];
  /** Tap whose grid is taken. */
  grid: number;
  /** `sum`: a resized map is multiplied by the ratio of cells, so that its sum keeps its size; `mean`: not. */
  score: 'sum' | 'mean';
}
export interface Scaled {
  /** beta `[frames, taps, classes]`, sums to 1 over the taps. */
  weights: Tensor;
  /** F `[frames, h, w, classes]` on the grid of the chosen tap. */
  map: Tensor;
  /** Attention of all taps put together with the same weights, `[frames, h, w, classes]`, sums to 1 over locations. */
  looked: Tensor;
}

/** Keeps a division by the sum of an attention that a coarser grid missed finite. */
const TINY = 1e-12;

export function apply(parameters: Parameters, { maps, attention, grid, score }: Inputs): Scaled {
  const [frames, height, width, classes] = maps[grid].shape;
  const weights = tapWeights(parameters, maps); // [frames, taps, classes]
  const weighted = (of: readonly Tensor[], keepSum: boolean) =>
    of
      .map((map, l) => {
        const [, h, w] = map.shape;
        const ratio = keepSum ? (h * w) / (height * width) : 1;
        const own = slice(weights, [0, l, 0], [frames, 1, classes]);
        return mul(resizeMaps(map, [height, width]), reshape(mul(own, ratio), [frames, 1, 1, classes]));
      })
      .reduce(add);
  const looked = weighted(attention, true);
  const total = sum(looked, [1, 2], true);
  return { weights, map: weighted(maps, score === 'sum'), looked: div(looked, add(total, TINY)) };
}

function tapWeights({ hidden, output }: Parameters, maps: readonly Tensor[]): Tensor {
  const [frames, , , classes] = maps[0].shape;
  const shape = [frames, maps.length, classes];
  if (!hidden || !output) return ones(shape);
  const said = concat(
    maps.map((map) => sum(map, [1, 2])),
    1,
  ); // [frames, taps * classes]
  const logits = linear.apply(output, tanh(linear.apply(hidden, said)));
  return softmax(reshape(logits, shape), 1);
}
