/**
 * DenseNet121 (Huang et al. 2017) as keras.applications builds it, without its top: stem, dense blocks of 6, 12, 24 and 16
 * layers with a transition after each but the last, which ends in a norm and a relu. 7,037,504 parameters for three bands.
 */
import { batchNorm } from '../../nn/index.js';
import type { Random } from '../../random.js';
import { type ParameterTree, relu, type Tensor } from '../../tensor/index.js';
import type { Norms, Stage } from '../backbone.js';
import * as layer from './layer.js';
import { stem } from './stem.js';
import * as transition from './transition.js';

/** Added to every variance. */
export const EPSILON = 1.001e-5;
/** Layers of each dense block. */
export const LAYERS = [6, 12, 24, 16] as const;

type Block = { [layer: `layer${number}`]: layer.Parameters } & {
  transition?: transition.Parameters;
  norm?: batchNorm.Parameters;
};

export const stages: readonly Stage[] = [stem, ...blocks()];

function blocks(): Stage[] {
  let channels = stem.channels;
  return LAYERS.map((layers, i) => {
    const wide = channels + layers * layer.GROWTH;
    const last = i === LAYERS.length - 1;
    channels = last ? wide : wide / 2;
    return {
      name: `block${i + 1}`,
      channels,
      tapChannels: wide,
      tapSize: (size) => size,
      size: (size) => (last ? size : Math.floor(size / 2)),
      init: (from, random) => init(layers, from, last, random),
      apply: (tree, x, norms) => apply(layers, tree as unknown as Block, x, norms),
    };
  });
}

function init(layers: number, channels: number, last: boolean, random: Random): ParameterTree {
  const parameters: Record<string, unknown> = {};
  for (let i = 0; i < layers; i++)
    parameters[`layer${i + 1}`] = layer.init(channels + i * layer.GROWTH, random.key(i));
  const wide = channels + layers * layer.GROWTH;
  if (last) parameters.norm = batchNorm.init({ channels: wide });
  else parameters.transition = transition.init(wide, random.key('transition'));
  return parameters as ParameterTree;
}

/** Tap: all channels of the block; of the last block after its norm and relu, as Keras gives its features. */
function apply(layers: number, parameters: Block, x: Tensor, norms: Norms): { next: Tensor; tap: Tensor } {
  let h = x;
  for (let i = 1; i <= layers; i++) h = layer.apply(parameters[`layer${i}`], h, norms, `layer${i}`);
  const { norm } = parameters;
  if (norm) {
    const next = relu(norms.apply(norm, h, 'norm'));
    return { next, tap: next };
  }
  return { next: transition.apply(parameters.transition!, h, norms), tap: h };
}
