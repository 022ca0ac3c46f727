/**
 * Gated recurrent unit in Keras' reset_after form (Cho et al. 2014; the cuDNN variant): gates z, r, h,
 *   z = sigmoid(xW_z + b_iz + hU_z + b_rz), r likewise, h~ = tanh(xW_h + b_ih + r (hU_h + b_rh)), h' = z h + (1 - z) h~
 */
import * as z from 'zod';
import { Count } from '../../schemas/config/index.js';
import type { Random } from '../random.js';
import { add, gruSteps, matMul, reshape, slice, type Tensor, unstack, zeros } from '../tensor/index.js';
import { glorotUniform, orthogonal } from './initialise.js';

export const Config = z.strictObject({ in: Count, units: Count });
export type Config = z.infer<typeof Config>;
export type Parameters = { kernel: Tensor; recurrent: Tensor; bias: Tensor };

/** `kernel [in, 3U]`, `recurrent [U, 3U]` (three orthogonal blocks), `bias [2, 3U]` (input, recurrent) of zeros. */
export function init(config: Config, random: Random): Parameters {
  const { in: from, units } = Config.parse(config);
  return {
    kernel: glorotUniform([from, 3 * units], random.key('kernel')),
    recurrent: orthogonal(units, 3, random.key('recurrent')),
    bias: zeros([2, 3 * units]),
  };
}

export interface Inputs {
  /** `[batch, time, in]` */
  x: Tensor;
  /** `[batch, time]` of 0 and 1; a 0 leaves the state as it is and repeats the last output. */
  mask?: Tensor | null;
  /** `[batch, units]`; default zeros. */
  state?: Tensor | null;
}

/** `y [batch, time, units]`, the state after every step, and `state [batch, units]`, the last one. */
export function apply(parameters: Parameters, { x, mask, state }: Inputs): { y: Tensor; state: Tensor } {
  const [batch, time, from] = x.shape;
  const units = parameters.recurrent.shape[0];
  const [inputBias, bias] = unstack(parameters.bias, 0); // [3U] each
  const flat = add(matMul(reshape(x, [batch * time, from]), parameters.kernel), inputBias);
  const y = gruSteps({
    projected: reshape(flat, [batch, time, 3 * units]),
    recurrent: parameters.recurrent,
    bias,
    state: state ?? zeros([batch, units]),
    mask: mask ?? null,
  });
  return { y, state: reshape(slice(y, [0, time - 1, 0], [batch, 1, units]), [batch, units]) };
}
