/** One layer of a dense block: norm, relu, 1x1 convolution to the bottleneck, norm, relu, 3x3; its input is kept beside it. */
import { batchNorm, conv2d } from '../../nn/index.js';
import type { Random } from '../../random.js';
import { concat, relu, type Tensor } from '../../tensor/index.js';
import type { Norms } from '../backbone.js';

/** Channels that a layer adds, and those of its narrow middle. */
export const GROWTH = 32;
const BOTTLENECK = 4 * GROWTH;

export type Parameters = {
  norm1: batchNorm.Parameters;
  conv1: conv2d.Parameters;
  norm2: batchNorm.Parameters;
  conv2: conv2d.Parameters;
};

export function init(channels: number, random: Random): Parameters {
  return {
    norm1: batchNorm.init({ channels }),
    conv1: conv2d.init({ in: channels, out: BOTTLENECK, size: 1, bias: false }, random.key('conv1')),
    norm2: batchNorm.init({ channels: BOTTLENECK }),
    conv2: conv2d.init({ in: BOTTLENECK, out: GROWTH, bias: false }, random.key('conv2')),
  };
}

/** `x [frames, h, w, channels]` -> `[frames, h, w, channels + 32]`; `path` is the layer's place in its stage. */
export function apply(parameters: Parameters, x: Tensor, norms: Norms, path: string): Tensor {
  return norms.scoped(parameters, x, ({ norm1, conv1, norm2, conv2 }, before, own) => {
    const wide = relu(own.apply(norm1, before, `${path}/norm1`));
    const narrow = conv2d.apply(conv1, { x: wide }); // [frames, h, w, 128]
    const active = relu(own.apply(norm2, narrow, `${path}/norm2`));
    return concat([before, conv2d.apply(conv2, { x: active })], 3); // [frames, h, w, channels + 32]
  });
}
