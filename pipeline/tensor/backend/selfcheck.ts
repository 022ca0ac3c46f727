/**
 * One convolution with its gradients against numbers from scripts/golden/conv_gradient.py (NumPy loops). A backend
 * that computes them wrongly, as some do for strides, must not train anything.
 */
import { BackendError } from '../../errors.js';
import { valueAndGradients } from '../gradients/tape.js';
import { conv2d, mul, sum, tensor } from '../operations.js';
import { dispose, tidy } from '../tree.js';

const GOLDEN = {
  y: [-2, -38, 28, -7, -9, -10, -13, 4],
  dx: [
    8, -2, -5, -1, 3, 3, -1, -5, -3, 8, -2, -5, -4, 3, -4, -1, 3, 1, 6, 4, -2, -8, 9, -2, 2, -4, 4, -2, 8, -5,
    2, 2,
  ],
  dw: [
    12, 0, -2, -11, -5, 11, -8, 11, -2, -5, 6, -1, 10, 0, -4, -11, -7, 11, 12, 0, -4, -6, 4, -2, 3, 3, -7, 2,
    5, -10, 6, 0, -6, 3, 2, -1,
  ],
};
const TOLERANCE = 1e-3;

/**
 * Largest absolute error over output and both gradients.
 * @throws BackendError above 1e-3.
 */
export function selfCheck(backend: string): number {
  const sequence = (length: number, factor: number, modulus: number, shift: number) =>
    Float32Array.from({ length }, (_, i) => ((i * factor) % modulus) - shift);
  const x = tensor(sequence(32, 7, 11, 5), [1, 4, 4, 2]);
  const kernel = tensor(sequence(36, 5, 7, 3), [3, 3, 2, 2]);
  const weights = tensor(sequence(8, 3, 5, 2), [1, 2, 2, 2]);
  const { aux, gradients } = valueAndGradients({ x, kernel }, (p) => {
    const y = conv2d(p.x, p.kernel, { strides: 2 }); // [1, 2, 2, 2]
    return { loss: sum(mul(y, weights)), aux: y };
  });
  const error = Math.max(
    distance(aux!, GOLDEN.y),
    distance(gradients.x, GOLDEN.dx),
    distance(gradients.kernel, GOLDEN.dw),
  );
  dispose({ x, kernel, weights, aux: aux!, gradients });
  if (error <= TOLERANCE) return error;
  throw new BackendError(
    `backend ${backend} computes a convolution gradient wrongly: error ${error}, expected at most ${TOLERANCE}`,
    { hint: 'use another backend: --backend wasm', fields: { backend, error, tolerance: TOLERANCE } },
  );
}

function distance(found: Parameters<typeof sum>[0], expected: number[]): number {
  const values = tidy(() => found.dataSync());
  return expected.reduce((worst, value, i) => {
    const error = Math.abs(values[i] - value);
    return error <= worst ? worst : error; // NaN stays
  }, 0);
}
