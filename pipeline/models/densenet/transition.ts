/** Between dense blocks: norm, relu, 1x1 convolution to half the channels, 2x2 mean. */
import { batchNorm, conv2d } from '../../nn/index.js';
import type { Random } from '../../random.js';
import { avgPool, relu, type Tensor } from '../../tensor/index.js';
import type { Norms } from '../backbone.js';

export type Parameters = { norm: batchNorm.Parameters; conv: conv2d.Parameters };

export function init(channels: number, random: Random): Parameters {
  return {
    norm: batchNorm.init({ channels }),
    conv: conv2d.init({ in: channels, out: channels / 2, size: 1, bias: false }, random),
  };
}

/** `x [frames, h, w, channels]` -> `[frames, floor(h / 2), floor(w / 2), channels / 2]` */
export function apply(parameters: Parameters, x: Tensor, norms: Norms): Tensor {
  return norms.scoped(parameters, x, ({ norm, conv }, before, own) => {
    const half = conv2d.apply(conv, { x: relu(own.apply(norm, before, 'transition/norm')) });
    return avgPool(half, { size: 2 });
  });
}
