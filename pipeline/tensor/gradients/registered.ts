/**
 * Gradients that replace TensorFlow.js' own on every backend: Relu keeps its output instead of its input (the next
 * layer keeps that anyway), Maximum and Minimum allow broadcasting, Abs has gradient 0 at 0.
 */
import { type Tensor, tf } from '../backend/tfjs.js';

export type Gradient = (
  dy: Tensor,
  saved: Tensor[],
  attributes: Record<string, unknown>,
) => Record<string, () => Tensor>;
export interface Saves {
  inputs?: string[];
  /** Whether the (single) output is saved, after the inputs. */
  output?: boolean;
}

export function registerCommonGradients(): void {
  replaceGradient('Relu', { output: true }, (dy, [y]) => ({ x: () => tf.mul(dy, tf.step(y)) }));
  replaceGradient('Abs', { inputs: ['x'] }, (dy, [x]) => ({ x: () => tf.mul(dy, tf.sign(x)) }));
  replaceGradient('Maximum', { inputs: ['a', 'b'] }, (dy, [a, b]) => ({
    a: () => reduceTo(tf.mul(dy, tf.cast(tf.greaterEqual(a, b), 'float32')), a.shape),
    b: () => reduceTo(tf.mul(dy, tf.cast(tf.less(a, b), 'float32')), b.shape),
  }));
  replaceGradient('Minimum', { inputs: ['a', 'b'] }, (dy, [a, b]) => ({
    a: () => reduceTo(tf.mul(dy, tf.cast(tf.lessEqual(a, b), 'float32')), a.shape),
    b: () => reduceTo(tf.mul(dy, tf.cast(tf.greater(a, b), 'float32')), b.shape),
  }));
}

export function replaceGradient(kernelName: string, { inputs, output }: Saves, gradient: Gradient): void {
  tf.unregisterGradient(kernelName);
  tf.registerGradient({
    kernelName,
    inputsToSave: inputs ?? [],
    outputsToSave: output ? [true] : [],
    gradFunc: gradient as never,
  });
}

/** Sums over the axes along which `shape` was broadcast. */
function reduceTo(gradient: Tensor, shape: number[]): Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, gradient.shape);
  return tf.reshape(axes.length ? tf.sum(gradient, axes) : gradient, shape);
}
