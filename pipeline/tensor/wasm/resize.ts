/**
 * Gradient of bilinear resizing. The backend's kernel knows no half-pixel centres. Resizing is a matrix along each
 * of the two axes, so its gradient is their transposes.
 */
import { type Tensor, tf } from '../backend/tfjs.js';

interface Flags {
  alignCorners?: boolean;
  halfPixelCenters?: boolean;
}

/** `dy` `[batch, newHeight, newWidth, channel]` brought to `shape` `[batch, height, width, channel]`. */
export function resizeGradient(dy: Tensor, shape: number[], flags: Flags): Tensor {
  const [batch, newHeight, newWidth, channels] = dy.shape as [number, number, number, number];
  const [, height, width] = shape;
  const rows = tf.reshape(dy, [batch, newHeight, newWidth * channels]);
  const tall = tf.matMul(transposed(height, newHeight, flags), rows); // [batch, height, newWidth * channel]
  const columns = tf.reshape(tall, [batch * height, newWidth, channels]);
  return tf.reshape(tf.matMul(transposed(width, newWidth, flags), columns), shape);
}

/** Transpose of the matrix that resizes an axis of `size` to `newSize`: `[1, size, newSize]`. */
function transposed(size: number, newSize: number, flags: Flags): Tensor {
  const weights = new Float32Array(size * newSize);
  for (let i = 0; i < newSize; i++) {
    const position = source(i, size, newSize, flags);
    const lower = Math.floor(position);
    const share = position - lower;
    weights[Math.max(lower, 0) * newSize + i] += 1 - share;
    weights[Math.min(Math.max(Math.ceil(position), 0), size - 1) * newSize + i] += share;
  }
  return tf.tensor(weights, [1, size, newSize]);
}

function source(i: number, size: number, newSize: number, { alignCorners, halfPixelCenters }: Flags): number {
  if (alignCorners) return newSize > 1 ? (i * (size - 1)) / (newSize - 1) : 0;
  return halfPixelCenters ? ((i + 0.5) * size) / newSize - 0.5 : (i * size) / newSize;
}
