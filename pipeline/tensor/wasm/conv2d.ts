/**
 * Gradients of 2-D convolution out of forward operations, because the wasm backend has no filter gradient at all
 * and a slow input gradient. Channels last, dilation 1.
 */
import { type Tensor, tf } from '../backend/tfjs.js';

type T4 = import('@tensorflow/tfjs-core').Tensor4D;
type Four = [number, number, number, number];
type Pad =
  | 'same'
  | 'valid'
  | number
  | [[number, number], [number, number], [number, number], [number, number]];

export interface ConvGeometry {
  strides: [number, number];
  /** Rows and columns added before the first; what is added after follows from the sizes. */
  before: [number, number];
}

/** Strides and leading padding of a convolution as its kernel's attributes give them. */
export function geometry(
  x: Tensor,
  kernel: Tensor,
  strides: number | [number, number],
  pad: Pad,
): ConvGeometry {
  const pair: [number, number] = typeof strides === 'number' ? [strides, strides] : strides;
  const { padInfo } = tf.backend_util.computeConv2DInfo(
    x.shape as Four,
    kernel.shape as Four,
    pair,
    1,
    pad as 'same',
  );
  return { strides: pair, before: [padInfo.top, padInfo.left] };
}

/** d loss / d x, in the shape `[batch, height, width, in]`: dy spread by the strides, convolved with the flipped kernel. */
export function inputGradient(
  xShape: number[],
  dy: Tensor,
  kernel: Tensor,
  { strides, before }: ConvGeometry,
): Tensor {
  return tf.tidy(() => {
    const [kh, kw] = kernel.shape;
    let spread = dilate(dy, strides); // [batch, (oh-1)*sh+1, (ow-1)*sw+1, out]
    const rows = borders(xShape[1], spread.shape[1]!, kh, before[0]);
    const columns = borders(xShape[2], spread.shape[2]!, kw, before[1]);
    spread = padOrCrop(spread, rows, columns);
    const flipped = tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2]); // [kh, kw, out, in]
    return tf.conv2d(spread as T4, flipped as T4, 1, 'valid');
  });
}

/** What a row of dy needs on both sides so that a valid convolution gives `size` values; negative means cut. */
function borders(size: number, spread: number, kernel: number, before: number): [number, number] {
  const first = kernel - 1 - before;
  return [first, size + kernel - 1 - spread - first];
}

/**
 * d loss / d kernel `[kh, kw, in, out]`, itself one convolution: the input's channels are its batch, the batch its
 * channels, dy its kernel, the strides its dilations. Two to thirty times faster than a product for each kernel offset.
 */
export function filterGradient(
  x: Tensor,
  dy: Tensor,
  kernelShape: number[],
  { strides, before }: ConvGeometry,
): Tensor {
  return tf.tidy(() => {
    const [kh, kw] = kernelShape;
    const [, oh, ow] = dy.shape as Four;
    const [sh, sw] = strides;
    const rows: [number, number] = [before[0], (oh - 1) * sh + kh - x.shape[1]! - before[0]];
    const columns: [number, number] = [before[1], (ow - 1) * sw + kw - x.shape[2]! - before[1]];
    const byChannel = tf.transpose(padOrCrop(x, rows, columns), [3, 1, 2, 0]); // [in, height, width, batch]
    const kernel = tf.transpose(dy, [1, 2, 0, 3]); // [oh, ow, batch, out]
    const offsets = tf.conv2d(byChannel as T4, kernel as T4, 1, 'valid', 'NHWC', strides); // [in, kh, kw, out]
    return tf.transpose(offsets, [1, 2, 0, 3]);
  });
}

/** Zeros between the values of axes 1 and 2. */
function dilate(dy: Tensor, [sh, sw]: [number, number]): Tensor {
  if (sh === 1 && sw === 1) return tf.clone(dy);
  const [batch, oh, ow, channels] = dy.shape as Four;
  const apart = tf.reshape(dy, [batch, oh, 1, ow, 1, channels]);
  const padded = tf.pad(apart, [
    [0, 0],
    [0, 0],
    [0, sh - 1],
    [0, 0],
    [0, sw - 1],
    [0, 0],
  ]);
  const wide = tf.reshape(padded, [batch, oh * sh, ow * sw, channels]);
  return tf.slice(wide, [0, 0, 0, 0], [batch, (oh - 1) * sh + 1, (ow - 1) * sw + 1, channels]);
}

/** Zeros around axes 1 and 2, or cut where a border is negative. */
export function padOrCrop(x: Tensor, rows: [number, number], columns: [number, number]): Tensor {
  const cut = (n: number) => Math.max(-n, 0);
  const added = (n: number) => Math.max(n, 0);
  const [batch, height, width, channels] = x.shape as Four;
  if ([...rows, ...columns].every((n) => n === 0)) return tf.clone(x);
  const inner = tf.slice(
    x,
    [0, cut(rows[0]), cut(columns[0]), 0],
    [batch, height - cut(rows[0]) - cut(rows[1]), width - cut(columns[0]) - cut(columns[1]), channels],
  );
  if ([...rows, ...columns].every((n) => n <= 0)) return inner;
  return tf.pad(inner, [
    [0, 0],
    rows.map(added) as [number, number],
    columns.map(added) as [number, number],
    [0, 0],
  ]);
}
