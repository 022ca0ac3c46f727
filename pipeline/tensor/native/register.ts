/** Gradients as TensorFlow's own fused kernels, one call where TensorFlow.js makes three or four. */

import type { Tensor } from '../backend/tfjs.js';
import { replaceGradient } from '../gradients/registered.js';
import { attributes, execute } from './execute.js';
import { maxPoolGradient } from './maxpool.js';

export function registerNativeGradients(): void {
  replaceGradient('Relu', { output: true }, (dy, [y]) => ({ x: () => one('ReluGrad', dy, y) }));
  replaceGradient('Sigmoid', { output: true }, (dy, [y]) => ({ x: () => one('SigmoidGrad', y, dy) }));
  replaceGradient('Tanh', { output: true }, (dy, [y]) => ({ x: () => one('TanhGrad', y, dy) }));
  replaceGradient('Softplus', { inputs: ['x'] }, (dy, [x]) => ({ x: () => one('SoftplusGrad', dy, x) }));
  replaceGradient('MaxPool', { inputs: ['x'], output: true }, (dy, [x, y], pooling) => ({
    x: () => maxPoolGradient(dy, x, y, pooling as never),
  }));
  replaceGradient('ResizeBilinear', { inputs: ['images'] }, (dy, [images], flags) => ({
    images: () => resizeGradient(dy, images, flags),
  }));
}

const one = (name: string, a: Tensor, b: Tensor): Tensor =>
  execute(name, [attributes().float32('T')], [a, b])[0];

/** tfjs-node leaves half_pixel_centers out and so gives the gradient of another resize. */
function resizeGradient(dy: Tensor, images: Tensor, flags: Record<string, unknown>): Tensor {
  const { float32, bool } = attributes();
  const list = [
    float32('T'),
    bool('align_corners', Boolean(flags.alignCorners)),
    bool('half_pixel_centers', Boolean(flags.halfPixelCenters)),
  ];
  return execute('ResizeBilinearGrad', list, [dy, images])[0];
}
