/**
 * Batch normalisation over all axes but the last. Training statistics come from the batch; on native TensorFlow
 * the fused kernels do it, elsewhere the same formulas written out.
 */
import { type Tensor, tf } from './backend/tfjs.js';
import { withoutTape } from './gradients/tape.js';
import { fusedForward, fusedGradient } from './native/batchnorm.js';
import { isNative } from './native/execute.js';

export interface Normalisation {
  /** All `[channel]`. */
  mean: Tensor;
  variance: Tensor;
  gamma: Tensor;
  beta: Tensor;
  epsilon: number;
}
export interface TrainingNormalisation {
  y: Tensor;
  /** Batch mean `[channel]`, a constant to gradients. */
  mean: Tensor;
  /** Biased batch variance `[channel]` (divided by n, as Keras 3), a constant to gradients. */
  variance: Tensor;
}

/** y = gamma * (x - mean) / sqrt(variance + epsilon) + beta with given statistics. */
export function batchNorm(x: Tensor, { mean, variance, gamma, beta, epsilon }: Normalisation): Tensor {
  return tf.tidy(() => {
    const scale = tf.mul(gamma, tf.rsqrt(tf.add(variance, epsilon))); // [channel]
    return tf.add(tf.mul(x, scale), tf.sub(beta, tf.mul(mean, scale)));
  });
}

/** The same with the statistics of `x` itself, which take part in the gradient of `y`. */
export function batchNormTraining(
  x: Tensor,
  { gamma, beta, epsilon }: { gamma: Tensor; beta: Tensor; epsilon: number },
): TrainingNormalisation {
  return isNative() ? fused(x, gamma, beta, epsilon) : composed(x, gamma, beta, epsilon);
}

/** The formulas of Ioffe and Szegedy (2015), forward and backward, in plain operations; any backend. */
export function composed(x: Tensor, gamma: Tensor, beta: Tensor, epsilon: number): TrainingNormalisation {
  const axes = x.shape.slice(0, -1).map((_, i) => i);
  const { mean, variance } = withoutTape(() => tf.tidy(() => tf.moments(x, axes)));
  const normalise = tf.customGrad((...args: unknown[]) => {
    const [a, g, b, save] = args as [Tensor, Tensor, Tensor, (tensors: Tensor[]) => void];
    const inverse = tf.rsqrt(tf.add(variance, epsilon)); // [channel]
    const scale = tf.mul(g, inverse);
    const value = tf.add(tf.mul(a, scale), tf.sub(b, tf.mul(mean, scale)));
    save([a, g, mean, inverse]);
    return { value, gradFunc: (dy: Tensor, saved: Tensor[]) => composedGradient(dy, saved, axes) };
  });
  return { y: normalise(x, gamma, beta), mean, variance };
}

/** dx = gamma * inverse / n * (n dy - sum(dy) - xhat * sum(dy * xhat)). */
function composedGradient(dy: Tensor, [x, gamma, mean, inverse]: Tensor[], axes: number[]): Tensor[] {
  const xhat = tf.mul(tf.sub(x, mean), inverse);
  const dBeta = tf.sum(dy, axes); // [channel]
  const dGamma = tf.sum(tf.mul(dy, xhat), axes);
  const count = x.size / gamma.size;
  const centred = tf.sub(tf.sub(dy, tf.div(dBeta, count)), tf.mul(xhat, tf.div(dGamma, count)));
  return [tf.mul(centred, tf.mul(gamma, inverse)), dGamma, dBeta];
}

function fused(x: Tensor, gamma: Tensor, beta: Tensor, epsilon: number): TrainingNormalisation {
  const forward = withoutTape(() => fusedForward(x, gamma, beta, epsilon));
  const normalise = tf.customGrad((...args: unknown[]) => {
    const [a, g, , save] = args as [Tensor, Tensor, Tensor, (tensors: Tensor[]) => void];
    save([a, g, ...forward.reserve]);
    return {
      value: forward.y,
      gradFunc: (dy: Tensor, saved: Tensor[]) => fusedGradient(dy, saved, epsilon),
    };
  });
  const y = normalise(x, gamma, beta);
  for (const tensor of forward.reserve) tensor.dispose();
  return { y, mean: forward.mean, variance: forward.variance };
}
