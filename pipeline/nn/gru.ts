/**
 * Gated recurrent unit in Keras' reset_after form (Cho et al. 2014; the cuDNN variant): gates z, r, h,
 *   z = sigmoid(xW_z + b_iz + hU_z + b_rz), r likewise, h~ = tanh(xW_h + b_ih + r (hU_h + b_rh)), h' = z h + (1 - z) h~
 */
import * as z from 'zod';
import { Count } from '../../schemas/config/index.js';
import type { Random } from '../random.js';
import {
  add,
  matMul,
  mul,
  reshape,
  sigmoid,
  slice,
  stack,
  sub,
  type Tensor,
  tanh,
  unstack,
  zeros,
} from '../tensor/index.js';
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
  const [inputBias, recurrentBias] = unstack(parameters.bias, 0); // [3U] each
  const projected = add(matMul(reshape(x, [batch * time, from]), parameters.kernel), inputBias);
  const steps = unstack(reshape(projected, [batch, time, 3 * units]), 1); // time x [batch, 3U]
  const masks = mask ? unstack(reshape(mask, [batch, time, 1]), 1) : null; // time x [batch, 1]
  let h = state ?? zeros([batch, units]);
  const outputs = steps.map((step, t) => {
    const next = cell(step, h, parameters.recurrent, recurrentBias, units);
    h = masks ? add(h, mul(masks[t], sub(next, h))) : next;
    return h;
  });
  return { y: stack(outputs, 1), state: h };
}

/** One step: `projected [batch, 3U]` = xW + b_i. */
function cell(projected: Tensor, h: Tensor, recurrent: Tensor, bias: Tensor, units: number): Tensor {
  const batch = h.shape[0];
  const inner = add(matMul(h, recurrent), bias); // [batch, 3U]
  const gates = sigmoid(
    add(slice(projected, [0, 0], [batch, 2 * units]), slice(inner, [0, 0], [batch, 2 * units])),
  );
  const update = slice(gates, [0, 0], [batch, units]);
  const reset = slice(gates, [0, units], [batch, units]);
  const candidate = tanh(
    add(
      slice(projected, [0, 2 * units], [batch, units]),
      mul(reset, slice(inner, [0, 2 * units], [batch, units])),
    ),
  );
  return add(candidate, mul(update, sub(h, candidate)));
}
