/**
 * Temporal convolutions (Bai et al. 2018), causal and dilated: h_0 = W x + b, h_l = h_(l-1) + relu(conv_l(h_(l-1))), where
 * conv_l reads the steps t, t - d_l, ..., t - (k - 1) d_l. The state is what the layers still have to read: the last
 * (k - 1) d_l inputs of each, zeros before the first step, and the last output.
 */
import * as z from 'zod';
import { Count } from '../../schemas/config/index.js';
import type { Random } from '../random.js';
import { add, concat, relu, reshape, slice, type Tensor, zeros } from '../tensor/index.js';
import * as linear from './linear.js';
import { type Packing, packing } from './packing.js';

export const Config = z.strictObject({
  in: Count,
  units: Count,
  kernel: z.int().min(2).default(3),
  dilations: z.array(Count).min(1).default([1, 2, 4]),
});
export type Config = z.input<typeof Config>;
/** `layer<l>` has a kernel `[k * units, units]`: the earliest step first. */
export type Parameters = { input: linear.Parameters } & { [layer: `layer${number}`]: linear.Parameters };
type Sizes = Pick<z.output<typeof Config>, 'units' | 'kernel' | 'dilations'>;

export function init(config: Config, random: Random): Parameters {
  const { in: from, units, kernel, dilations } = Config.parse(config);
  const layers = dilations.map((_, l) => [
    `layer${l}`,
    linear.init({ in: kernel * units, out: units }, random.key(`layer${l}`)),
  ]);
  return {
    input: linear.init({ in: from, out: units }, random.key('input')),
    ...Object.fromEntries(layers),
  };
}

/** Steps that a step's output depends on, itself included. */
export const reach = ({ kernel, dilations }: Pick<Sizes, 'kernel' | 'dilations'>): number =>
  1 + (kernel - 1) * dilations.reduce((a, b) => a + b, 0);

/** Numbers of the state of one sequence. */
export const stateSize = ({ units, kernel, dilations }: Sizes): number =>
  units * reach({ kernel, dilations });

export interface Inputs {
  /** `[batch, time, in]` */
  x: Tensor;
  /** `[batch, time]` of 0 and 1; a step of 0 is as if it were not there, its output repeats the last one. */
  mask?: Tensor | null;
  /** `[batch, stateSize]`; default zeros. */
  state?: Tensor | null;
}

/** `y [batch, time, units]` and the state after the last step, `[batch, stateSize]`. */
export function apply(
  parameters: Parameters,
  { units, kernel, dilations }: Sizes,
  { x, mask, state }: Inputs,
): { y: Tensor; state: Tensor } {
  const [batch, time] = x.shape;
  const before = state ?? zeros([batch, stateSize({ units, kernel, dilations })]);
  const packed = mask ? packing(mask) : null;
  let h = linear.apply(parameters.input, packed ? packed.pack(x) : x); // [batch, time, units]
  let at = 0;
  const kept: Tensor[] = [];
  const take = (steps: number): Tensor => {
    const part = slice(before, [0, at], [batch, steps * units]);
    at += steps * units;
    return reshape(part, [batch, steps, units]);
  };
  for (const [l, dilation] of dilations.entries()) {
    const held = (kernel - 1) * dilation;
    const line = concat([take(held), h], 1); // [batch, held + time, units]
    const seen = Array.from({ length: kernel }, (_, k) =>
      slice(line, [0, k * dilation, 0], [batch, time, units]),
    );
    kept.push(lastOf(line, held, packed));
    h = add(h, relu(linear.apply(parameters[`layer${l}`], concat(seen, 2))));
  }
  const outputs = concat([take(1), h], 1); // the last output before these steps, then theirs
  const y = packed ? packed.spread(outputs) : h;
  kept.push(lastOf(outputs, 1, packed));
  return {
    y,
    state: concat(
      kept.map((part) => reshape(part, [batch, -1])),
      1,
    ),
  };
}

/** The last `steps` of `line` that are real: those behind the packed ones are not. */
function lastOf(line: Tensor, steps: number, packed: Packing | null): Tensor {
  const [batch, length, units] = line.shape;
  return packed ? packed.last(line, steps) : slice(line, [0, length - steps, 0], [batch, steps, units]);
}
