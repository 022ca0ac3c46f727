/**
 * Gradient of average pooling. The backend's own kernel divides by the window's whole size, but the forward pass by
 * the cells of it that lie on the map; at padded borders these differ.
 */
import { type Tensor, tf } from '../backend/tfjs.js';

type Four = [number, number, number, number];
interface Pooling {
  filterSize: number | [number, number];
  strides: number | [number, number];
  pad: 'same' | 'valid' | number;
}

export function averagePoolGradient(dy: Tensor, x: Tensor, pooling: Pooling): Tensor {
  const { filterSize, strides, pad } = pooling;
  const info = tf.backend_util.computePool2DInfo(x.shape as Four, filterSize, strides, 1, pad);
  const { outHeight, outWidth, filterHeight, filterWidth, strideHeight, strideWidth, padInfo } = info;
  const rows = onMap(outHeight, filterHeight, strideHeight, padInfo.top, x.shape[1]!);
  const columns = onMap(outWidth, filterWidth, strideWidth, padInfo.left, x.shape[2]!);
  const correction = rows.flatMap((row) =>
    columns.map((column) => (filterHeight * filterWidth) / (row * column)),
  );
  const scaled = correction.every((factor) => factor === 1)
    ? dy
    : tf.mul(dy, tf.tensor(correction, [1, outHeight, outWidth, 1]));
  return tf.engine().runKernel('AvgPoolGrad', { dy: scaled, input: x }, { ...pooling }) as Tensor;
}

/** For each window along an axis, how many of its cells lie on the map. */
function onMap(windows: number, filter: number, stride: number, before: number, size: number): number[] {
  return Array.from({ length: windows }, (_, i) => {
    const first = i * stride - before;
    return Math.min(first + filter, size) - Math.max(first, 0);
  });
}
