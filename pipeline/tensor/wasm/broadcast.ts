/** Gradient of a sum with broadcasting: the wasm backend reduces leading axes slowly, its average pool does it quickly. */
import { type Tensor, tf } from '../backend/tfjs.js';

type T4 = import('@tensorflow/tfjs-core').Tensor4D;

/** Sums `gradient` over the axes along which `shape` was broadcast. */
export function reduceTo(gradient: Tensor, shape: number[]): Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, gradient.shape);
  if (axes.length === 0) return tf.reshape(gradient, shape);
  const isBias = gradient.rank === 4 && axes.length === 3 && axes.every((axis, i) => axis === i);
  return tf.tidy(() => tf.reshape(isBias ? overFrames(gradient) : tf.sum(gradient, axes), shape));
}

/** `[frames, height, width, channels]` -> `[channels]`: the pool over each frame, then the few means left. */
function overFrames(gradient: Tensor): Tensor {
  const [, height, width, channels] = gradient.shape;
  const means = tf.avgPool(gradient as T4, [height, width] as [number, number], 1, 'valid');
  return tf.mul(tf.sum(tf.reshape(means, [-1, channels]), 0), height * width);
}
