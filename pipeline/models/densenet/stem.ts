/** Front of DenseNet: 7x7 convolution with stride 2, norm, relu, 3x3 maximum with stride 2, padded by zeros on all sides. */
import { batchNorm, conv2d } from '../../nn/index.js';
import { maxPool, type ParameterTree, pad, relu, type Tensor } from '../../tensor/index.js';
import type { Stage } from '../backbone.js';

const CHANNELS = 64;
type Parameters = { conv: conv2d.Parameters; norm: batchNorm.Parameters };

const quartered = (size: number): number => Math.ceil(Math.ceil(size / 2) / 2);

export const stem: Stage = {
  name: 'stem',
  channels: CHANNELS,
  tapChannels: null,
  size: quartered,
  tapSize: quartered,
  init: (channels, random) => ({
    conv: conv2d.init({ in: channels, out: CHANNELS, size: 7, bias: false }, random),
    norm: batchNorm.init({ channels: CHANNELS }),
  }),
  apply(tree: ParameterTree, x, norms) {
    const next = norms.scoped(tree as unknown as Parameters, x, ({ conv, norm }, map, own) => {
      const h = conv2d.apply(conv, { x: framed(map, 3), strides: 2, padding: 'valid' }); // [frames, h / 2, w / 2, 64]
      const active = relu(own.apply(norm, h, 'norm'));
      return maxPool(framed(active, 1), { size: 3, strides: 2 }); // [frames, h / 4, w / 4, 64]
    });
    return { next, tap: null };
  },
};

/** Zeros around each map. */
const framed = (x: Tensor, edge: number): Tensor =>
  pad(x, [
    [0, 0],
    [edge, edge],
    [edge, edge],
    [0, 0],
  ]);
