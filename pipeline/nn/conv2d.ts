/** Two-dimensional convolution over `[frames, height, width, channels]`. */
import * as z from 'zod';
import { Count } from '../../schemas/config/index.js';
import type { Random } from '../random.js';
import { add, conv2d, type Tensor, zeros } from '../tensor/index.js';
import { glorotUniform, heUniform } from './initialise.js';

export const Config = z.strictObject({
  in: Count,
  out: Count,
  /** Edge of the square kernel. */
  size: Count.default(3),
  bias: z.boolean().default(true),
  start: z.enum(['he', 'glorot']).default('he'),
});
export type Config = z.input<typeof Config>;
export type Parameters = { kernel: Tensor; bias?: Tensor };

/** `kernel [size, size, in, out]`, `bias [out]` of zeros. */
export function init(config: Config, random: Random): Parameters {
  const { in: from, out, size, bias, start } = Config.parse(config);
  const kernel = (start === 'he' ? heUniform : glorotUniform)([size, size, from, out], random);
  return bias ? { kernel, bias: zeros([out]) } : { kernel };
}

export interface Inputs {
  /** `[frames, height, width, in]` */
  x: Tensor;
  strides?: number;
  padding?: 'same' | 'valid';
}

/** `[frames, height', width', out]` */
export function apply(parameters: Parameters, { x, strides = 1, padding = 'same' }: Inputs): Tensor {
  const y = conv2d(x, parameters.kernel, { strides, padding });
  return parameters.bias ? add(y, parameters.bias) : y;
}
