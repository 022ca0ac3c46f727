/** How fast the open backend is, in GFLOPS, with the sizes that the models use. */

import { valueAndGradients } from '../gradients/tape.js';
import { conv2d, fill, matMul, mean, square } from '../operations.js';
import { dispose, tidy } from '../tree.js';
import type { Tensor } from './tfjs.js';

export interface Speed {
  /** 3x3 convolution of 8 maps of 64x64 with 32 channels, forward. */
  conv: number;
  /** The same forward and backward, both gradients. */
  convTraining: number;
  /** 512 x 512 matrices. */
  matMul: number;
}

const CONV_FLOP = 2 * 8 * 64 * 64 * 9 * 32 * 32;
const MATMUL_FLOP = 2 * 512 ** 3;

export function measureBackend({ seconds = 0.5 }: { seconds?: number } = {}): Speed {
  const x = fill([8, 64, 64, 32], 0.5);
  const kernel = fill([3, 3, 32, 32], 0.01);
  const a = fill([512, 512], 0.1);
  const readBack = (tensor: Tensor) => tensor.dataSync()[0]; // waits for backends that queue their work
  const speed = {
    conv: gflops(CONV_FLOP, seconds, () => tidy(() => readBack(mean(conv2d(x, kernel))))),
    convTraining: gflops(3 * CONV_FLOP, seconds, () => {
      const run = valueAndGradients({ x, kernel }, (p) => ({ loss: mean(square(conv2d(p.x, p.kernel))) }));
      dispose(run.gradients);
    }),
    matMul: gflops(MATMUL_FLOP, seconds, () => tidy(() => readBack(mean(matMul(a, a))))),
  };
  dispose([x, kernel, a]);
  return speed;
}

/** 10^9 floating-point operations a second over as many runs as fit in `seconds`, after one to warm up. */
function gflops(flop: number, seconds: number, run: () => unknown): number {
  run();
  const started = performance.now();
  let runs = 0;
  do {
    run();
    runs++;
  } while (performance.now() - started < seconds * 1000);
  return (flop * runs) / (performance.now() - started) / 1e6;
}
