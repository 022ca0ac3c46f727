/**
 * The operations layers are written with: plain functions over tensors, channels last, float32. Each is
 * differentiable by `valueAndGradients` on every backend unless its line says otherwise.
 */
import { type DType, type Tensor, type TensorLike, tf } from './backend/tfjs.js';
import { withoutTape } from './gradients/tape.js';
import { isNative } from './native/execute.js';
import { matrixProduct } from './native/matmul.js';
import { subsample } from './subsample.js';

type T4 = import('@tensorflow/tfjs-core').Tensor4D;
type Axis = number | number[];
export type Padding = 'same' | 'valid';

// --- making tensors

/** `values` in row-major order; their number must be the product of `shape`. */
export function tensor(values: ArrayLike<number>, shape: number[], dtype: DType = 'float32'): Tensor {
  return tf.tensor(typed(values, dtype), shape, dtype);
}
export const zeros = (shape: number[], dtype: DType = 'float32'): Tensor => tf.zeros(shape, dtype);
export const ones = (shape: number[], dtype: DType = 'float32'): Tensor => tf.ones(shape, dtype);
export const fill = (shape: number[], value: number, dtype: DType = 'float32'): Tensor =>
  tf.fill(shape, value, dtype);
export const scalar = (value: number, dtype: DType = 'float32'): Tensor => tf.scalar(value, dtype);
export const zerosLike = (x: Tensor): Tensor => tf.zerosLike(x);
export const onesLike = (x: Tensor): Tensor => tf.onesLike(x);
/** One-hot rows `[...indices.shape, depth]`; no gradient. */
export function oneHot(indices: Int32Array | Tensor, depth: number): Tensor {
  return tf.tidy(() => tf.cast(tf.oneHot(integers(indices), depth), 'float32'));
}

// --- element by element, with broadcasting

export const add = (a: TensorLike, b: TensorLike): Tensor => tf.add(a, b);
export const sub = (a: TensorLike, b: TensorLike): Tensor => tf.sub(a, b);
export const mul = (a: TensorLike, b: TensorLike): Tensor => tf.mul(a, b);
export const div = (a: TensorLike, b: TensorLike): Tensor => tf.div(a, b);
export const pow = (a: TensorLike, b: TensorLike): Tensor => tf.pow(a, b);
export const maximum = (a: TensorLike, b: TensorLike): Tensor => tf.maximum(a, b);
export const minimum = (a: TensorLike, b: TensorLike): Tensor => tf.minimum(a, b);
export const neg = (x: Tensor): Tensor => tf.neg(x);
export const exp = (x: Tensor): Tensor => tf.exp(x);
export const log = (x: Tensor): Tensor => tf.log(x);
export const sqrt = (x: Tensor): Tensor => tf.sqrt(x);
export const square = (x: Tensor): Tensor => tf.square(x);
export const abs = (x: Tensor): Tensor => tf.abs(x);
export const relu = (x: Tensor): Tensor => tf.relu(x);
export const sigmoid = (x: Tensor): Tensor => tf.sigmoid(x);
export const tanh = (x: Tensor): Tensor => tf.tanh(x);
/** `x` limited to `[low, high]`; no gradient outside. */
export const clip = (x: Tensor, low: number, high: number): Tensor => tf.clipByValue(x, low, high);
export const cast = (x: Tensor, dtype: DType): Tensor => tf.cast(x, dtype);
/** log(1 + exp(x)) without overflow: max(x, 0) + log(1 + exp(-|x|)). */
export const softplus = (x: Tensor): Tensor => tf.softplus(x);
/** The same values, cut off from the gradient. */
export const stopGradient = (x: Tensor): Tensor => withoutTape(() => tf.clone(x));

// --- comparisons (no gradient) and choice

export const greater = (a: TensorLike, b: TensorLike): Tensor => tf.greater(a, b);
export const less = (a: TensorLike, b: TensorLike): Tensor => tf.less(a, b);
export const equal = (a: TensorLike, b: TensorLike): Tensor => tf.equal(a, b);
/** `yes` where the bool tensor `condition` holds, else `no`; numbers are allowed for either. */
export function where(condition: Tensor, yes: TensorLike, no: TensorLike): Tensor {
  return tf.where(tf.cast(condition, 'bool'), yes, no);
}

// --- reductions

export const sum = (x: Tensor, axis?: Axis, keepDims = false): Tensor => tf.sum(x, axis, keepDims);
export const mean = (x: Tensor, axis?: Axis, keepDims = false): Tensor => tf.mean(x, axis, keepDims);
export const max = (x: Tensor, axis?: Axis, keepDims = false): Tensor => tf.max(x, axis, keepDims);
export const min = (x: Tensor, axis?: Axis, keepDims = false): Tensor => tf.min(x, axis, keepDims);
/** Index of the greatest value; int32, no gradient. */
export const argMax = (x: Tensor, axis = -1): Tensor => tf.argMax(x, axis);
export const softmax = (x: Tensor, axis = -1): Tensor => tf.tidy(() => tf.exp(logSoftmax(x, axis)));
export const logSoftmax = (x: Tensor, axis = -1): Tensor =>
  tf.tidy(() => tf.sub(x, logSumExp(x, axis, true)));
/** log(sum(exp(x))) along `axis` (all axes when left out), shifted by the maximum so that it cannot overflow. */
export function logSumExp(x: Tensor, axis?: Axis, keepDims = false): Tensor {
  return tf.tidy(() => {
    const top = stopGradient(tf.max(x, axis, true));
    const total = tf.add(tf.log(tf.sum(tf.exp(tf.sub(x, top)), axis, true)), top);
    return keepDims ? total : tf.squeeze(total, axes(axis, x.rank));
  });
}

// --- shapes

export const reshape = (x: Tensor, shape: number[]): Tensor => tf.reshape(x, shape);
export const transpose = (x: Tensor, order?: number[]): Tensor => tf.transpose(x, order);
export const expandDims = (x: Tensor, axis: number): Tensor => tf.expandDims(x, axis);
export const squeeze = (x: Tensor, axis?: number[]): Tensor => tf.squeeze(x, axis);
export const concat = (list: Tensor[], axis = 0): Tensor => tf.concat(list, axis);
export const stack = (list: Tensor[], axis = 0): Tensor => tf.stack(list, axis);
// Copies: the arrays that TensorFlow.js gives back are its own record of the outputs.
export function unstack(x: Tensor, axis = 0): Tensor[] {
  // The gradient of TensorFlow.js' Unpack expects a list and gets a single tensor where there is one output.
  if (x.shape[axis] === 1) return [tf.squeeze(x, [axis])];
  return [...tf.unstack(x, axis)];
}
export const split = (x: Tensor, sizes: number | number[], axis = 0): Tensor[] => [
  ...tf.split(x, sizes, axis),
];
export const slice = (x: Tensor, begin: number[], size: number[]): Tensor => tf.slice(x, begin, size);
export const tile = (x: Tensor, repeats: number[]): Tensor => tf.tile(x, repeats);
export const reverse = (x: Tensor, axis?: Axis): Tensor => tf.reverse(x, axis);
export const pad = (x: Tensor, paddings: [number, number][], value = 0): Tensor => tf.pad(x, paddings, value);
/** Rows of `x` along `axis`, in the order of `indices`; repeats are allowed. */
export function gather(x: Tensor, indices: Int32Array | Tensor, axis = 0): Tensor {
  return tf.tidy(() => tf.gather(x, integers(indices), axis));
}

/** False where taking rows from an array and handing them over is quicker than `gather` (measured on wasm: 12 times). */
export const gathersWell = (): boolean => tf.getBackend() !== 'wasm';

// --- products, convolutions, pools; images are [batch, height, width, channel]

/** `a` times `b` over the last two axes; leading axes are batches. */
export function matMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  const flat = a.rank === 2 && b.rank === 2 && a.dtype === 'float32' && b.dtype === 'float32';
  if (flat && isNative()) return matrixProduct(a, b, transposeA, transposeB);
  return tf.matMul(a, b, transposeA, transposeB);
}

/** Kernel `[height, width, in, out]`; `same` pads at the end first, as TensorFlow does. */
export function conv2d(
  x: Tensor,
  kernel: Tensor,
  { strides = 1, padding = 'same' }: { strides?: number | [number, number]; padding?: Padding } = {},
): Tensor {
  const [rows, columns] = typeof strides === 'number' ? [strides, strides] : strides;
  if (kernel.shape[0] === 1 && kernel.shape[1] === 1 && (rows > 1 || columns > 1))
    return tf.tidy(() => tf.conv2d(subsample(x, [rows, columns]) as T4, kernel as T4, 1, padding));
  return tf.conv2d(x as T4, kernel as T4, strides, padding);
}

export { type Convolution3D, conv3d } from './conv3d.js';

export interface Pooling {
  size: number | [number, number];
  /** As `size` when left out. */
  strides?: number | [number, number];
  padding?: Padding;
}
export const maxPool = (x: Tensor, { size, strides = size, padding = 'valid' }: Pooling): Tensor =>
  tf.maxPool(x as T4, size, strides, padding);
export const avgPool = (x: Tensor, { size, strides = size, padding = 'valid' }: Pooling): Tensor =>
  tf.avgPool(x as T4, size, strides, padding);

/** Images brought to `[height, width]` with half-pixel centres (as Keras, not as TensorFlow.js by default). */
export const resizeBilinear = (x: Tensor, size: [number, number]): Tensor =>
  tf.image.resizeBilinear(x as T4, size, false, true);

function typed(values: ArrayLike<number>, dtype: DType): Float32Array | Int32Array | Uint8Array {
  const Type = dtype === 'float32' ? Float32Array : dtype === 'int32' ? Int32Array : Uint8Array;
  return values instanceof Type ? values : Type.from(values);
}

function integers(indices: Int32Array | Tensor): Tensor {
  return indices instanceof tf.Tensor ? tf.cast(indices, 'int32') : tf.tensor1d(indices, 'int32');
}

function axes(axis: Axis | undefined, rank: number): number[] {
  if (axis === undefined) return Array.from({ length: rank }, (_, i) => i);
  return [axis].flat().map((a) => (a < 0 ? a + rank : a));
}
