/** Losses on logits; each value stands alone, so that a label moves only its own term. */
import type { TrainingConfig } from '../../schemas/config/index.js';
import { add, div, exp, mul, neg, softplus, sub, sum, type Tensor } from '../tensor/index.js';

export type LossKind = TrainingConfig['loss'];

/** Lin et al. 2017. */
const GAMMA = 2;
const ALPHA = 0.25;

/**
 * Loss of each logit, same shape as `z`. `y` is 0 or 1.
 *   bce       -log p(y);   weighted: positives count `positiveWeight` times
 *   focal     -alpha_y (1 - p(y))^2 log p(y)
 */
export function lossValues(kind: LossKind, z: Tensor, y: Tensor, positiveWeight: number): Tensor {
  const no = sub(1, y);
  const yesLoss = softplus(neg(z)); // -log sigmoid(z)
  const noLoss = softplus(z); // -log(1 - sigmoid(z))
  if (kind !== 'focal') {
    const weight = kind === 'weighted' ? positiveWeight : 1;
    return add(mul(mul(y, yesLoss), weight), mul(no, noLoss));
  }
  // (1 - sigmoid(z))^2 = exp(-2 softplus(z)): stays finite for any logit
  const yes = mul(mul(exp(mul(noLoss, -GAMMA)), yesLoss), ALPHA);
  const none = mul(mul(exp(mul(yesLoss, -GAMMA)), noLoss), 1 - ALPHA);
  return add(mul(y, yes), mul(no, none));
}

/** Sum of the values that count, divided by their number. */
export function maskedMean(values: Tensor, mask: Tensor, count: number): Tensor {
  return div(sum(mul(values, mask)), Math.max(1, count));
}

export interface Imbalance {
  positives: number;
  negatives: number;
  /** Weight of a positive in the loss: N- / N+, capped. */
  positiveWeight: number;
  /** What the loss adds to every logit: log of the weight used; subtracted after training. */
  prior: number;
  /** Start value of the output: the logit of the (weighted) base rate. */
  startLogit: number;
}

/** Both counts must be positive. */
export function imbalance(
  positives: number,
  negatives: number,
  { loss, weightCap }: Pick<TrainingConfig, 'loss' | 'weightCap'>,
): Imbalance {
  const positiveWeight = loss === 'weighted' ? Math.min(negatives / positives, weightCap) : 1;
  const startLogit = Math.log((positives * positiveWeight) / negatives);
  return { positives, negatives, positiveWeight, prior: Math.log(positiveWeight), startLogit };
}
