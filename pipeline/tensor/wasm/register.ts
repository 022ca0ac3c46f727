/** Puts the composed gradients in the place of the ones the wasm backend lacks or gets wrong. */
import { type Tensor, tf } from '../backend/tfjs.js';
import { filterGradient, geometry, inputGradient } from './conv2d.js';
import { registerSegmentSum } from './segmentsum.js';

type Geometry = Parameters<typeof geometry>;

export function registerWasmGradients(): void {
  registerSegmentSum();
  replaceGradient('Conv2D', ['x', 'filter'], (dy, [x, kernel], { strides, pad }) => {
    const shape = geometry(x, kernel, strides as Geometry[2], pad as Geometry[3]);
    return {
      x: () => inputGradient(x.shape, dy, kernel, shape),
      filter: () => filterGradient(x, dy, kernel.shape, shape),
    };
  });
}

type Gradient = (
  dy: Tensor,
  saved: Tensor[],
  attributes: Record<string, unknown>,
) => Record<string, () => Tensor>;

function replaceGradient(kernelName: string, inputsToSave: string[], gradient: Gradient): void {
  tf.unregisterGradient(kernelName);
  tf.registerGradient({ kernelName, inputsToSave, gradFunc: gradient as never });
}
