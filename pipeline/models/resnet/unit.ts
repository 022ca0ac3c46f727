/** Basic residual unit: two 3x3 convolutions with norms beside a short cut, which is a 1x1 convolution where shapes change. */
import { batchNorm, conv2d } from '../../nn/index.js';
import type { Random } from '../../random.js';
import { add, relu, type Tensor } from '../../tensor/index.js';
import type { Norms } from '../backbone.js';

type Normed = { conv: conv2d.Parameters; norm: batchNorm.Parameters };
export type Parameters = { first: Normed; second: Normed; shortcut?: Normed };

export interface Sizes {
  in: number;
  out: number;
  strides: number;
}

export function init({ in: from, out, strides }: Sizes, random: Random): Parameters {
  const normed = (channels: number, size: number, name: string): Normed => ({
    conv: conv2d.init({ in: channels, out, size, bias: false }, random.key(name)),
    norm: batchNorm.init({ channels: out }),
  });
  const parameters: Parameters = { first: normed(from, 3, 'first'), second: normed(out, 3, 'second') };
  if (strides > 1 || from !== out) parameters.shortcut = normed(from, 1, 'shortcut');
  return parameters;
}

/** `x [frames, h, w, in]` -> `[frames, ceil(h / strides), ceil(w / strides), out]` */
export function apply(
  parameters: Parameters,
  x: Tensor,
  norms: Norms,
  { strides, path }: { strides: number; path: string },
): Tensor {
  return norms.scoped(parameters, x, ({ first, second, shortcut }, before, own) => {
    const normed = ({ conv, norm }: Normed, from: Tensor, by: number, name: string): Tensor =>
      own.apply(norm, conv2d.apply(conv, { x: from, strides: by }), `${path}/${name}/norm`);
    const inner = normed(second, relu(normed(first, before, strides, 'first')), 1, 'second');
    return relu(add(inner, shortcut ? normed(shortcut, before, strides, 'shortcut') : before));
  });
}
