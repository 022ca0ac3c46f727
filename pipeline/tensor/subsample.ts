/**
 * Every n-th row and column. A 1x1 convolution with a stride reads no others, so it is the same after this without one; done
 * directly, the gradient of TensorFlow 2.21's oneDNN kernels writes outside its memory and the process ends.
 */
import { type Tensor, tf } from './backend/tfjs.js';

type Pairs = [number, number][];

/** `x [frames, h, w, channels]` -> `[frames, ceil(h / rows), ceil(w / columns), channels]` */
export function subsample(x: Tensor, [rows, columns]: [number, number]): Tensor {
  const [frames, height, width, channels] = x.shape as [number, number, number, number];
  const [h, w] = [Math.ceil(height / rows), Math.ceil(width / columns)];
  const full = tf.pad(x, [
    [0, 0],
    [0, h * rows - height],
    [0, w * columns - width],
    [0, 0],
  ] as Pairs);
  const line = w * columns * channels;
  const kept = tf.slice(tf.reshape(full, [frames * h, rows * line]), [0, 0], [frames * h, line]);
  const cells = tf.reshape(kept, [frames * h * w, columns * channels]);
  return tf.reshape(tf.slice(cells, [0, 0], [frames * h * w, channels]), [frames, h, w, channels]);
}
