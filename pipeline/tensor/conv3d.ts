/**
 * 3-D convolution. TensorFlow.js pads `same` wrongly where a kernel is smaller than its stride, and its portable
 * gradients are wrong for strides other than 1. So padding is done here, and off native TensorFlow the convolution
 * is a sum of 2-D ones over the kernel's time steps, with time folded into the batch.
 */
import { type Tensor, tf } from './backend/tfjs.js';
import { isNative } from './native/execute.js';

type T4 = import('@tensorflow/tfjs-core').Tensor4D;
type T5 = import('@tensorflow/tfjs-core').Tensor5D;
type Three = [number, number, number];
export interface Convolution3D {
  /** Of time, height, width; default 1. */
  strides?: number | Three;
  /** Default `same`. */
  padding?: 'same' | 'valid';
}

/** `x` `[batch, time, height, width, in]`, kernel `[time, height, width, in, out]`. */
export function conv3d(
  x: Tensor,
  kernel: Tensor,
  { strides = 1, padding = 'same' }: Convolution3D = {},
): Tensor {
  const steps: Three = typeof strides === 'number' ? [strides, strides, strides] : strides;
  return tf.tidy(() => {
    const padded = padding === 'same' ? padSame(x, kernel, steps) : x;
    return isNative()
      ? tf.conv3d(padded as T5, kernel as T5, steps, 'valid')
      : sumOverTime(padded, kernel, steps);
  });
}

/** Zeros so that a valid convolution gives ceil(size / stride) values an axis; the extra one goes to the end. */
function padSame(x: Tensor, kernel: Tensor, strides: Three): Tensor {
  const paddings = strides.map((stride, i): [number, number] => {
    const [size, width] = [x.shape[i + 1]!, kernel.shape[i]!];
    const total = Math.max((Math.ceil(size / stride) - 1) * stride + width - size, 0);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  });
  if (paddings.every(([before, after]) => before + after === 0)) return x;
  return tf.pad(x, [[0, 0], ...paddings, [0, 0]]);
}

/** y[t] = sum over k of conv2d(x[t * stride + k], kernel[k]). */
export function sumOverTime(x: Tensor, kernel: Tensor, [st, sh, sw]: Three): Tensor {
  const [batch, time, height, width, inputs] = x.shape as [number, number, number, number, number];
  const [kt, kh, kw, , outputs] = kernel.shape as [number, number, number, number, number];
  const steps = Math.floor((time - kt) / st) + 1;
  let total: Tensor | null = null;
  for (let k = 0; k < kt; k++) {
    const frames = framesFrom(x, k, steps, st); // [batch, steps, height, width, in]
    const folded = tf.reshape(frames, [batch * steps, height, width, inputs]);
    const slab = tf.reshape(tf.slice(kernel, [k, 0, 0, 0, 0], [1, kh, kw, inputs, outputs]), [
      kh,
      kw,
      inputs,
      outputs,
    ]);
    const part: Tensor = tf.conv2d(folded as T4, slab as T4, [sh, sw], 'valid');
    total = total ? tf.add(total, part) : part;
  }
  const [, oh, ow] = total!.shape as [number, number, number, number];
  return tf.reshape(total!, [batch, steps, oh, ow, outputs]);
}

function framesFrom(x: Tensor, first: number, count: number, stride: number): Tensor {
  if (stride > 1) {
    const times = Int32Array.from({ length: count }, (_, i) => first + i * stride);
    return tf.gather(x, tf.tensor1d(times, 'int32'), 1);
  }
  const [batch, , ...rest] = x.shape;
  return tf.slice(x, [0, first, ...rest.map(() => 0)], [batch, count, ...rest]);
}
