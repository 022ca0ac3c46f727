/** Product of two matrices by TensorFlow's MatMul; TensorFlow.js calls the batched kernel with reshapes around it. */
import { type Tensor, tf } from '../backend/tfjs.js';
import { attributes, execute } from './execute.js';

/** `a` and `b` of two axes each. */
export function matrixProduct(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
  const multiply = tf.customGrad((...args: unknown[]) => {
    const [x, y, save] = args as [Tensor, Tensor, (tensors: Tensor[]) => void];
    save([x, y]);
    return {
      value: product(x, y, transposeA, transposeB),
      gradFunc: (dy: Tensor, saved: Tensor[]) => gradients(dy, saved, transposeA, transposeB),
    };
  });
  return multiply(a, b);
}

function gradients(dy: Tensor, [a, b]: Tensor[], transposeA: boolean, transposeB: boolean): Tensor[] {
  const dA = transposeA ? product(b, dy, transposeB, true) : product(dy, b, false, !transposeB);
  const dB = transposeB ? product(dy, a, true, transposeA) : product(a, dy, !transposeA, false);
  return [dA, dB];
}

function product(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
  const { float32, bool } = attributes();
  const list = [float32('T'), bool('transpose_a', transposeA), bool('transpose_b', transposeB)];
  return execute('MatMul', list, [a, b])[0];
}
