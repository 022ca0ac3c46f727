/** Affine map of the last axis. */
import * as z from 'zod';
import { Count } from '../../schemas/config/index.js';
import type { Random } from '../random.js';
import { add, matMul, reshape, type Tensor, zeros } from '../tensor/index.js';
import { glorotUniform } from './initialise.js';

export const Config = z.strictObject({
  in: Count,
  out: Count,
  bias: z.boolean().default(true),
  /** `zero`: the layer says nothing until it has learned something. */
  start: z.enum(['glorot', 'zero']).default('glorot'),
});
export type Config = z.input<typeof Config>;
export type Parameters = { kernel: Tensor; bias?: Tensor };

/** `kernel [in, out]`, `bias [out]` of zeros. */
export function init(config: Config, random: Random): Parameters {
  const { in: from, out, bias, start } = Config.parse(config);
  const kernel = start === 'zero' ? zeros([from, out]) : glorotUniform([from, out], random);
  return bias ? { kernel, bias: zeros([out]) } : { kernel };
}

/** `x [..., in]` -> `[..., out]` */
export function apply({ kernel, bias }: Parameters, x: Tensor): Tensor {
  const [from, out] = kernel.shape;
  const rows = reshape(x, [-1, from]); // [all leading axes, in]
  const product = matMul(rows, kernel);
  return reshape(bias ? add(product, bias) : product, [...x.shape.slice(0, -1), out]);
}
