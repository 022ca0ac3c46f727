/** Dropout (Srivastava et al. 2014) whose mask comes from our own generator: the same on every backend. */
import * as z from 'zod';
import { Share } from '../../schemas/config/index.js';
import { mul, type Tensor, tensor } from '../tensor/index.js';
import type { Mode } from './mode.js';

export const Config = z.strictObject({
  rate: Share,
  /** Single activations, or whole maps of `[frames, h, w, channels]`. */
  by: z.enum(['element', 'channel']).default('element'),
});
export type Config = z.input<typeof Config>;

/** `x [frames, ...]`. Zeroes a share `rate` and divides the rest by 1 - rate; the identity outside training. */
export function apply({ rate, by = 'element' }: Config, x: Tensor, mode: Mode): Tensor {
  if (!mode.training || rate === 0) return x;
  if (!mode.random) throw new Error('dropout in training mode needs a generator');
  const shape = by === 'channel' ? x.shape.map((n, i) => (i === 0 || i === x.rank - 1 ? n : 1)) : x.shape;
  const frame = shape.slice(1).reduce((a, b) => a * b, 1);
  const { from, to, of } = mode.part ?? { from: 0, to: shape[0], of: shape[0] };
  const mask = keepMask(of * frame, rate, mode.random); // of the whole batch, so that a part has the same
  return mul(x, tensor(mask.subarray(from * frame, to * frame), shape));
}

/** 0 or 1 / (1 - rate); two draws from each 32 random bits, so the rate is exact to 1/65536. */
export function keepMask(size: number, rate: number, random: { bits(): number }): Float32Array {
  const mask = new Float32Array(size);
  const threshold = Math.round(rate * 65536);
  const kept = rate < 1 ? 1 / (1 - rate) : 0;
  for (let i = 0; i < size; i += 2) {
    const bits = random.bits();
    mask[i] = (bits & 0xffff) < threshold ? 0 : kept;
    if (i + 1 < size) mask[i + 1] = bits >>> 16 < threshold ? 0 : kept;
  }
  return mask;
}
