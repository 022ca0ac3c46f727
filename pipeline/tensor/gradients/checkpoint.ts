/**
 * Trades time for memory: what happens inside is not kept for the gradient but done again when it is needed. For
 * maps too large for the whole record, one call around each block.
 *
 *   const y = checkpoint((x, kernel) => relu(conv2d(x, kernel)), [x, kernel]);
 */
import { type Tensor, tf } from '../backend/tfjs.js';
import { backward, record } from './tape.js';

/** `f(...inputs)`; every tensor that needs a gradient must be among the inputs, others may be closed over. */
export function checkpoint(f: (...inputs: Tensor[]) => Tensor, inputs: Tensor[]): Tensor {
  const run = tf.customGrad((...args: unknown[]) => {
    const save = args.at(-1) as (tensors: Tensor[]) => void;
    const given = args.slice(0, -1) as Tensor[];
    save(given);
    return { value: f(...given), gradFunc: (dy: Tensor, saved: Tensor[]) => again(f, saved, dy) };
  });
  return run(...inputs);
}

function again(f: (...inputs: Tensor[]) => Tensor, inputs: Tensor[], dy: Tensor): Tensor[] {
  const { output, tape } = record(() => ({ output: [f(...inputs)] }));
  const found = backward(tape, inputs, output, [tf.clone(dy)]);
  return found.map((gradient, i) => gradient ?? tf.zerosLike(inputs[i]));
}
