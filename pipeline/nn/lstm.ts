/**
 * Long short-term memory in Keras' layout: gates i, f, c, o with one bias (Hochreiter and Schmidhuber 1997),
 *   c' = f c + i tanh(c~), h' = o tanh(c')
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
  tensor,
  unstack,
  zeros,
} from '../tensor/index.js';
import { glorotUniform, orthogonal } from './initialise.js';

export const Config = z.strictObject({
  in: Count,
  units: Count,
  /** The forget gate's bias starts at 1 (Keras' unit_forget_bias; Jozefowicz et al. 2015), else at 0. */
  forgetBias: z.boolean().default(true),
});
export type Config = z.input<typeof Config>;
export type Parameters = { kernel: Tensor; recurrent: Tensor; bias: Tensor };
export type State = { h: Tensor; c: Tensor };

/** `kernel [in, 4U]`, `recurrent [U, 4U]`, `bias [4U]`: zeros, ones for the forget gate where it is wanted. */
export function init(config: Config, random: Random): Parameters {
  const { in: from, units, forgetBias } = Config.parse(config);
  const bias = new Float32Array(4 * units);
  if (forgetBias) bias.fill(1, units, 2 * units);
  return {
    kernel: glorotUniform([from, 4 * units], random.key('kernel')),
    recurrent: orthogonal(units, 4, random.key('recurrent')),
    bias: tensor(bias, [4 * units]),
  };
}

export interface Inputs {
  /** `[batch, time, in]` */
  x: Tensor;
  /** `[batch, time]` of 0 and 1; a 0 leaves both states as they are and repeats the last output. */
  mask?: Tensor | null;
  state?: State | null;
  /** From the last step to the first; `y` is given back in input order. */
  backwards?: boolean;
}

/** `y [batch, time, units]` and the last state, `[batch, units]` each. */
export function apply(
  { kernel, recurrent, bias }: Parameters,
  { x, mask, state, backwards = false }: Inputs,
): { y: Tensor; state: State } {
  const [batch, time, from] = x.shape;
  const units = recurrent.shape[0];
  const projected = add(matMul(reshape(x, [batch * time, from]), kernel), bias);
  const steps = unstack(reshape(projected, [batch, time, 4 * units]), 1); // time x [batch, 4U]
  const masks = mask ? unstack(reshape(mask, [batch, time, 1]), 1) : null; // time x [batch, 1]
  let { h, c } = state ?? { h: zeros([batch, units]), c: zeros([batch, units]) };
  const outputs = new Array<Tensor>(time);
  for (let k = 0; k < time; k++) {
    const t = backwards ? time - 1 - k : k;
    const next = cell(add(steps[t], matMul(h, recurrent)), c, units);
    h = masks ? add(h, mul(masks[t], sub(next.h, h))) : next.h;
    c = masks ? add(c, mul(masks[t], sub(next.c, c))) : next.c;
    outputs[t] = h;
  }
  return { y: stack(outputs, 1), state: { h, c } };
}

/** One step: `gates [batch, 4U]` before their activations. */
function cell(gates: Tensor, c: Tensor, units: number): State {
  const gate = (k: number) => slice(gates, [0, k * units], [c.shape[0], units]);
  const kept = mul(sigmoid(gate(1)), c);
  const next = add(kept, mul(sigmoid(gate(0)), tanh(gate(2))));
  return { h: mul(sigmoid(gate(3)), tanh(next)), c: next };
}
