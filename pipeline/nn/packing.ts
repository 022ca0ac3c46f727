/**
 * Steps of masked sequences moved together, so that a layer sees the valid ones as if there were no others. Done with
 * products of 0 and 1, which have a gradient on every backend.
 */
import { add, cast, equal, matMul, mul, reshape, sub, sum, type Tensor, tensor } from '../tensor/index.js';

export interface Packing {
  /** `x [batch, time, n]` -> the same shape: valid steps first, in order, then zeros. */
  pack(x: Tensor): Tensor;
  /** `line [batch, 1 + time, n]`, something for "before the first" and packed steps -> each step's own, or the last one's. */
  spread(line: Tensor): Tensor;
  /** The last `steps` of `line [batch, before + time, n]` that are not zeros of `pack`. */
  last(line: Tensor, steps: number): Tensor;
}

/** `mask [batch, time]` of 0 and 1. */
export function packing(mask: Tensor): Packing {
  const [batch, time] = mask.shape;
  const rank = matMul(mask, upperOnes(time)); // [batch, time]: valid steps up to and with this one
  const total = sum(mask, 1); // [batch]
  return {
    pack: (x) => {
      const own = equal(reshape(sub(rank, 1), [batch, 1, time]), numbers(time, [1, time, 1]));
      const chosen = mul(cast(own, 'float32'), reshape(mask, [batch, 1, time]));
      return matMul(chosen, x); // [batch, time, time] x [batch, time, n]
    },
    spread: (line) => {
      const own = equal(reshape(rank, [batch, time, 1]), numbers(time + 1, [1, 1, time + 1]));
      return matMul(cast(own, 'float32'), line);
    },
    last: (line, steps) => {
      const [, length] = line.shape;
      // Real steps of a row: length - time in front and its total; the last ones begin `steps` before their end.
      const first = reshape(add(total, length - time - steps), [batch, 1, 1]);
      const wanted = add(first, numbers(steps, [1, steps, 1]));
      return matMul(cast(equal(wanted, numbers(length, [1, 1, length])), 'float32'), line);
    },
  };
}

function upperOnes(size: number): Tensor {
  const values = new Float32Array(size * size);
  for (let i = 0; i < size; i++) values.fill(1, i * size + i, (i + 1) * size);
  return tensor(values, [size, size]);
}

const numbers = (count: number, shape: number[]): Tensor =>
  tensor(
    Float32Array.from({ length: count }, (_, i) => i),
    shape,
  );
