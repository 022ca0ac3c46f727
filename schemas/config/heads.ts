import * as z from 'zod';
import { Count } from './common.js';

/** Reads every window from both ends: for whole series only, since a frame's label then waits for later frames. */
const bidirectional = z.boolean().default(false);

/** What follows the encoder along time. */
export const HeadConfig = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({
    kind: z.literal('gru'),
    units: Count.default(8),
    /** Whether the reset gate acts after the product with the recurrent kernel (Keras, cuDNN) or before it (Cho et al. 2014). */
    reset: z.enum(['after', 'before']).default('after'),
    bidirectional,
  }),
  z.strictObject({
    kind: z.literal('lstm'),
    units: Count.default(8),
    /** The forget gate's bias starts at 1, so that memory lasts from the first step on. */
    forgetBias: z.boolean().default(true),
    bidirectional,
  }),
  /** Causal dilated convolutions along time. A frame sees 1 + (kernel - 1) x the sum of the dilations frames. */
  z.strictObject({
    kind: z.literal('tcn'),
    units: Count.default(8),
    kernel: z.int().min(2).max(16).default(3),
    /** Frames between the taps of each layer's kernel. */
    dilations: z.array(Count).min(1).max(16).default([1, 2, 4]),
  }),
]);
export type HeadConfig = z.infer<typeof HeadConfig>;
