/**
 * Maps brought to another grid, bilinear with half-pixel centres, as products with two small matrices: differentiable on
 * every backend, and equal to Keras' and PyTorch's resize (no antialiasing).
 */
import { matMul, reshape, type Tensor, tensor, transpose } from '../tensor/index.js';

/** `x [frames, h, w, channels]` -> `[frames, ...size, channels]`; the same tensor where the grid is the same. */
export function resizeMaps(x: Tensor, [height, width]: readonly [number, number]): Tensor {
  const [frames, h, w, channels] = x.shape;
  if (h === height && w === width) return x;
  const rows = matMul(weights(h, height), reshape(transpose(x, [1, 0, 2, 3]), [h, frames * w * channels]));
  const lying = reshape(transpose(reshape(rows, [height, frames, w, channels]), [2, 0, 1, 3]), [w, -1]);
  const columns = reshape(matMul(weights(w, width), lying), [width, height, frames, channels]);
  return transpose(columns, [2, 1, 0, 3]); // [frames, height, width, channels]
}

/** `[to, from]`: each row interpolates between the two nearest cells, the border cell standing for what lies beyond. */
function weights(from: number, to: number): Tensor {
  const values = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const at = ((i + 0.5) * from) / to - 0.5;
    const low = Math.floor(at);
    const share = at - low;
    values[i * from + Math.max(0, low)] += 1 - share;
    values[i * from + Math.min(from - 1, low + 1)] += share;
  }
  return tensor(values, [to, from]);
}
