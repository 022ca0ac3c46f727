/** A part of a model whose activations need not be kept for the gradient. */
import { checkpoint, leaves, type ParameterTree, type Tensor, tidy, treeFrom } from '../tensor/index.js';
import type { Mode } from './mode.js';

/**
 * `f(parameters, x)`. Where the mode says so, only `x` and the result are kept and `f` runs once more for the gradient, so `f`
 * must draw nothing at random and give nothing besides.
 */
export function segment<P>(
  mode: Mode,
  parameters: P,
  x: Tensor,
  f: (parameters: P, x: Tensor) => Tensor,
): Tensor {
  if (!mode.training || !mode.again) return tidy(() => f(parameters, x)); // what the record did not save goes at once
  const own = leaves(parameters as ParameterTree);
  const from = (values: Tensor[]) =>
    treeFrom(own.map(({ name }, i) => ({ name, tensor: values[i] }))) as unknown as P;
  return checkpoint((first, ...values) => f(from(values), first), [x, ...own.map(({ tensor }) => tensor)]);
}
