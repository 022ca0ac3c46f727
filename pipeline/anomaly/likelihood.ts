/** Negative log-likelihood of observed features under independent Gaussians with a learned scale for each. */
import { add, div, exp, mul, square, sub, sum, type Tensor } from '../tensor/index.js';

const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);

/**
 * `observed` and `mean` `[..., feature]`, `logScale [feature]` -> nats `[...]`, summed over features:
 * sum of ((x - m) / s)^2 / 2 + log s + log(2 pi) / 2.
 */
export function gaussianNll(observed: Tensor, mean: Tensor, logScale: Tensor): Tensor {
  const features = observed.shape[observed.shape.length - 1];
  const standard = div(sub(observed, mean), exp(logScale));
  const each = add(mul(square(standard), 0.5), logScale);
  return add(sum(each, -1), features * HALF_LOG_2PI);
}
