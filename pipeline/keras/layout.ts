/**
 * What a backbone's leaves are called in Keras: `conv2_block1_0_bn/gamma` is our `block1/layer1/norm1/gamma`. Names of the
 * first weights that were published differ in the stem alone (`conv1/conv` for `conv1_conv`).
 */
import { ConfigError } from '../errors.js';

export interface KerasLeaf {
  /** Ours, below `encoder/backbone/`. */
  name: string;
  shape: readonly number[];
  /** Layer names that Keras gave it, newest first. */
  layers: readonly string[];
  /** Name of the weight in its layer. */
  weight: (typeof WEIGHTS)[number];
}

export const WEIGHTS = ['kernel', 'bias', 'gamma', 'beta', 'moving_mean', 'moving_variance'] as const;
export const BACKBONES = ['densenet121'] as const;
export type KerasBackbone = (typeof BACKBONES)[number];

/** Where the leaves stand in a model. */
export const PREFIX = 'encoder/backbone/';

const DENSENET_LAYERS = [6, 12, 24, 16];
const GROWTH = 32;
const STEM = 64;

/** Leaves in the order in which Keras builds its layers; `bands` of the first kernel, 3 in all published weights. */
export function layoutOf(kind: string, bands = 3): KerasLeaf[] {
  if (kind !== 'densenet121')
    throw new ConfigError(
      `cannot import ${kind}: Keras builds no such backbone, or none that is known here`,
      {
        hint: `take one of ${BACKBONES.join(', ')}`,
        fields: { kind },
      },
    );
  const leaves = [
    conv('stem/conv', [7, 7, bands, STEM], ['conv1_conv', 'conv1/conv']),
    ...norm('stem/norm', STEM, ['conv1_bn', 'conv1/bn']),
  ];
  let channels = STEM;
  DENSENET_LAYERS.forEach((layers, i) => {
    for (let l = 1; l <= layers; l++, channels += GROWTH) leaves.push(...denseLayer(i + 1, l, channels));
    if (i < DENSENET_LAYERS.length - 1) {
      leaves.push(...norm(`block${i + 1}/transition/norm`, channels, [`pool${i + 2}_bn`]));
      leaves.push(
        conv(`block${i + 1}/transition/conv`, [1, 1, channels, channels / 2], [`pool${i + 2}_conv`]),
      );
      channels /= 2;
    } else leaves.push(...norm(`block${i + 1}/norm`, channels, ['bn']));
  });
  return leaves;
}

function denseLayer(block: number, layer: number, channels: number): KerasLeaf[] {
  const [ours, theirs] = [`block${block}/layer${layer}`, `conv${block + 1}_block${layer}`];
  const narrow = 4 * GROWTH;
  return [
    ...norm(`${ours}/norm1`, channels, [`${theirs}_0_bn`]),
    conv(`${ours}/conv1`, [1, 1, channels, narrow], [`${theirs}_1_conv`]),
    ...norm(`${ours}/norm2`, narrow, [`${theirs}_1_bn`]),
    conv(`${ours}/conv2`, [3, 3, narrow, GROWTH], [`${theirs}_2_conv`]),
  ];
}

const conv = (name: string, shape: number[], layers: string[]): KerasLeaf => ({
  name: `${name}/kernel`,
  shape,
  layers,
  weight: 'kernel',
});

const norm = (name: string, channels: number, layers: string[]): KerasLeaf[] =>
  (
    [
      ['gamma', 'gamma'],
      ['beta', 'beta'],
      ['movingMean', 'moving_mean'],
      ['movingVariance', 'moving_variance'],
    ] as const
  ).map(([ours, weight]) => ({ name: `${name}/${ours}`, shape: [channels], layers, weight }));
