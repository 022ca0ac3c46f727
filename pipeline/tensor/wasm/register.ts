/** Puts the composed gradients in the place of the ones the wasm backend lacks or gets wrong. */
import { replaceGradient } from '../gradients/registered.js';
import { averagePoolGradient } from './averagepool.js';
import { reduceTo } from './broadcast.js';
import { filterGradient, geometry, inputGradient } from './conv2d.js';
import { registerIdentity } from './identity.js';
import { resizeGradient } from './resize.js';
import { registerSegmentSum } from './segmentsum.js';

type Geometry = Parameters<typeof geometry>;

export function registerWasmGradients(): void {
  registerIdentity();
  registerSegmentSum();
  replaceGradient('Add', { inputs: ['a', 'b'] }, (dy, [a, b]) => ({
    a: () => reduceTo(dy, a.shape),
    b: () => reduceTo(dy, b.shape),
  }));
  replaceGradient('AvgPool', { inputs: ['x'] }, (dy, [x], pooling) => ({
    x: () => averagePoolGradient(dy, x, pooling as never),
  }));
  replaceGradient('ResizeBilinear', { inputs: ['images'] }, (dy, [images], flags) => ({
    images: () => resizeGradient(dy, images.shape, flags),
  }));
  replaceGradient('Conv2D', { inputs: ['x', 'filter'] }, (dy, [x, kernel], { strides, pad }) => {
    const shape = geometry(x, kernel, strides as Geometry[2], pad as Geometry[3]);
    return {
      x: () => inputGradient(x.shape, dy, kernel, shape),
      filter: () => filterGradient(x, dy, kernel.shape, shape),
    };
  });
}
