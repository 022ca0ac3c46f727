/**
 * Gated recurrent unit (Cho et al. 2014) in Keras' two forms, gates z, r, h, h' = z h + (1 - z) h~:
 *   reset after   h~ = tanh(xW_h + b_ih + r (hU_h + b_rh)), bias [2, 3U]; the cuDNN variant
 *   reset before  h~ = tanh(xW_h + b_h + (r h) U_h), bias [3U]
 */
import * as z from 'zod';
import { Count } from '../../schemas/config/index.js';
import type { Random } from '../random.js';
import {
  add,
  gruSteps,
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

export const Config = z.strictObject({
  in: Count,
  units: Count,
  reset: z.enum(['after', 'before']).default('after'),
});
export type Config = z.input<typeof Config>;
/** The rank of `bias` says which form it is. */
export type Parameters = { kernel: Tensor; recurrent: Tensor; bias: Tensor };

/** `kernel [in, 3U]`, `recurrent [U, 3U]` (three orthogonal blocks), `bias` of zeros: `[2, 3U]` (input, recurrent) or `[3U]`. */
export function init(config: Config, random: Random): Parameters {
  const { in: from, units, reset } = Config.parse(config);
  return {
    kernel: glorotUniform([from, 3 * units], random.key('kernel')),
    recurrent: orthogonal(units, 3, random.key('recurrent')),
    bias: zeros(reset === 'after' ? [2, 3 * units] : [3 * units]),
  };
}

export interface Inputs {
  /** `[batch, time, in]` */
  x: Tensor;
  /** `[batch, time]` of 0 and 1; a 0 leaves the state as it is and repeats the last output. */
  mask?: Tensor | null;
  /** `[batch, units]`; default zeros. */
  state?: Tensor | null;
  /** From the last step to the first; `y` is given back in input order. */
  backwards?: boolean;
}

/** `y [batch, time, units]`, the state after every step, and `state [batch, units]`, the last one. */
export function apply(
  parameters: Parameters,
  { x, mask, state, backwards = false }: Inputs,
): { y: Tensor; state: Tensor } {
  const [batch, time, from] = x.shape;
  const units = parameters.recurrent.shape[0];
  if (parameters.bias.rank === 1) return resetBefore(parameters, { x, mask, state, backwards });
  const [inputBias, bias] = unstack(parameters.bias, 0); // [3U] each
  const flat = add(matMul(reshape(x, [batch * time, from]), parameters.kernel), inputBias);
  const y = gruSteps({
    projected: reshape(flat, [batch, time, 3 * units]),
    recurrent: parameters.recurrent,
    bias,
    state: state ?? zeros([batch, units]),
    mask: mask ?? null,
    backwards,
  });
  const last = slice(y, [0, backwards ? 0 : time - 1, 0], [batch, 1, units]);
  return { y, state: reshape(last, [batch, units]) };
}

/** Operation by operation, with U in two parts: `[U, 2U]` of the gates, `[U, U]` of the candidate. */
function resetBefore(
  { kernel, recurrent, bias }: Parameters,
  { x, mask, state, backwards }: Inputs,
): { y: Tensor; state: Tensor } {
  const [batch, time, from] = x.shape;
  const units = recurrent.shape[0];
  const gateKernel = slice(recurrent, [0, 0], [units, 2 * units]);
  const inner = slice(recurrent, [0, 2 * units], [units, units]);
  const projected = add(matMul(reshape(x, [batch * time, from]), kernel), bias);
  const steps = unstack(reshape(projected, [batch, time, 3 * units]), 1); // time x [batch, 3U]
  const masks = mask ? unstack(reshape(mask, [batch, time, 1]), 1) : null; // time x [batch, 1]
  let h = state ?? zeros([batch, units]);
  const outputs = new Array<Tensor>(time);
  for (let k = 0; k < time; k++) {
    const t = backwards ? time - 1 - k : k;
    const gates = sigmoid(add(slice(steps[t], [0, 0], [batch, 2 * units]), matMul(h, gateKernel)));
    const [update, reset] = [0, 1].map((n) => slice(gates, [0, n * units], [batch, units]));
    const own = slice(steps[t], [0, 2 * units], [batch, units]);
    const candidate = tanh(add(own, matMul(mul(reset, h), inner)));
    const after = add(candidate, mul(update, sub(h, candidate)));
    h = masks ? add(h, mul(masks[t], sub(after, h))) : after;
    outputs[t] = h;
  }
  return { y: stack(outputs, 1), state: h };
}
