/** ResNet18 (He et al. 2016) with a stem for small maps: 3x3 without stride or pooling; two basic units a block. */
import type { ResNet18Config } from '../../../schemas/config/index.js';
import { batchNorm, conv2d } from '../../nn/index.js';
import { type ParameterTree, relu } from '../../tensor/index.js';
import type { Stage } from '../backbone.js';
import * as unit from './unit.js';

/** Added to every variance. */
export const EPSILON = 1e-5;
const UNITS = 2;

type Stem = { conv: conv2d.Parameters; norm: batchNorm.Parameters };
type Block = { [unit: `unit${number}`]: unit.Parameters };

export const stages = ({ widths }: Pick<ResNet18Config, 'widths'>): Stage[] => [
  stem(widths[0]),
  ...widths.map((out, i) => block(i, out)),
];

function stem(channels: number): Stage {
  return {
    name: 'stem',
    channels,
    size: (size) => size,
    tapChannels: null,
    tapSize: (size) => size,
    init: (from, random) => ({
      conv: conv2d.init({ in: from, out: channels, bias: false }, random),
      norm: batchNorm.init({ channels }),
    }),
    apply(tree, x, norms) {
      const next = norms.scoped(tree as unknown as Stem, x, ({ conv, norm }, map, own) =>
        relu(own.apply(norm, conv2d.apply(conv, { x: map }), 'norm')),
      );
      return { next, tap: null };
    },
  };
}

function block(i: number, out: number): Stage {
  const strides = (u: number): number => (i > 0 && u === 0 ? 2 : 1);
  const size = (before: number): number => Math.ceil(before / strides(0));
  return {
    name: `block${i + 1}`,
    channels: out,
    size,
    tapChannels: out,
    tapSize: size,
    init: (from, random) =>
      Object.fromEntries(
        Array.from({ length: UNITS }, (_, u) => [
          `unit${u + 1}`,
          unit.init({ in: u === 0 ? from : out, out, strides: strides(u) }, random.key(u)),
        ]),
      ) as unknown as ParameterTree,
    apply(tree, x, norms) {
      const parameters = tree as unknown as Block;
      let next = x;
      for (let u = 0; u < UNITS; u++) {
        const path = `unit${u + 1}`;
        next = unit.apply(parameters[`unit${u + 1}`], next, norms, { strides: strides(u), path });
      }
      return { next, tap: next };
    },
  };
}
