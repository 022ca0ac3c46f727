/**
 * Channel gate (Hu et al. 2018; science of the triple attention of Wang et al. 2021):
 *   u = sigmoid(W2 relu(W1 GAP(X))), no bias, W1: D -> max(1, floor(D / r)); Xc = u X
 */
import * as z from 'zod';
import { Count } from '../../schemas/config/index.js';
import type { Random } from '../random.js';
import { abs, matMul, mean, mul, relu, reshape, sigmoid, type Tensor } from '../tensor/index.js';
import { glorotUniform } from './initialise.js';

export const Config = z.strictObject({ channels: Count, reduction: Count.default(16) });
export type Config = z.input<typeof Config>;
export type Parameters = { down: { kernel: Tensor }; up: { kernel: Tensor } };

/**
 * `down [D, max(1, floor(D / r))]`, `up` back. `down` starts without negative weights: the squeezed maps come out of
 * a relu, so a hidden unit of mixed weights may be dead from the start, and with a bottleneck of 1 the whole gate (our choice).
 */
export function init(config: Config, random: Random): Parameters {
  const { channels, reduction } = Config.parse(config);
  const inner = Math.max(1, Math.floor(channels / reduction));
  return {
    down: { kernel: positive(glorotUniform([channels, inner], random.key('down'))) },
    up: { kernel: glorotUniform([inner, channels], random.key('up')) },
  };
}

function positive(kernel: Tensor): Tensor {
  const size = abs(kernel);
  kernel.dispose();
  return size;
}

/** `x [frames, h, w, D]` -> `gate [frames, D]` in (0, 1) and `y` = gate * x. */
export function apply({ down, up }: Parameters, x: Tensor): { y: Tensor; gate: Tensor } {
  const squeezed = mean(x, [1, 2]); // [frames, D]
  const gate = sigmoid(matMul(relu(matMul(squeezed, down.kernel)), up.kernel));
  return { gate, y: gated(x, gate) };
}

/** Each channel of `x [frames, h, w, D]` times its gate `[frames, D]`. */
export function gated(x: Tensor, gate: Tensor): Tensor {
  const [frames, , , channels] = x.shape;
  return mul(x, reshape(gate, [frames, 1, 1, channels]));
}
