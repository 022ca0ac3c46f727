/** FusedBatchNormV3 and its gradient: one kernel each way where TensorFlow.js composes dozens. */
import { type Tensor, tf } from '../backend/tfjs.js';
import { attributes, execute } from './execute.js';

export interface FusedForward {
  y: Tensor;
  mean: Tensor;
  /** Biased, whatever the kernel gives. */
  variance: Tensor;
  /** What the gradient kernel wants back. */
  reserve: Tensor[];
}

export function fusedForward(x: Tensor, gamma: Tensor, beta: Tensor, epsilon: number): FusedForward {
  const [x4, none] = [tf.reshape(x, imageShape(x)), tf.tensor1d([], 'float32')];
  const [y4, mean, unbiased, ...reserve] = execute(
    'FusedBatchNormV3',
    kernelAttributes(epsilon),
    [x4, gamma, beta, none, none],
    6,
  );
  const count = x.size / gamma.size;
  const variance = tf.mul(unbiased, count > 1 ? (count - 1) / count : 1); // the kernel divides by n - 1
  const y = tf.reshape(y4, x.shape);
  for (const tensor of [x4, none, y4, unbiased]) tensor.dispose();
  return { y, mean, variance, reserve };
}

/** `saved` is x, gamma and the forward kernel's reserve; gives the gradients of x, gamma and beta. */
export function fusedGradient(dy: Tensor, [x, gamma, ...reserve]: Tensor[], epsilon: number): Tensor[] {
  const [dx, dGamma, dBeta] = execute(
    'FusedBatchNormGradV3',
    kernelAttributes(epsilon).filter(({ name }) => name !== 'exponential_avg_factor'),
    [tf.reshape(dy, imageShape(x)), tf.reshape(x, imageShape(x)), gamma, ...reserve],
    5,
  );
  return [tf.reshape(dx, x.shape), dGamma, dBeta];
}

/** The kernels take four axes; statistics do not care how the others are folded. */
function imageShape(x: Tensor): [number, number, number, number] {
  const channels = x.shape[x.rank - 1];
  const width = x.rank > 2 ? x.shape[x.rank - 2] : 1;
  return [x.size / (width * channels), 1, width, channels];
}

function kernelAttributes(epsilon: number) {
  const { float32, float, bool, string } = attributes();
  return [
    float32('T'),
    float32('U'),
    float('epsilon', epsilon),
    float('exponential_avg_factor', 1),
    string('data_format', 'NHWC'),
    bool('is_training', true),
  ];
}
