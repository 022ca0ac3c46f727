import * as z from 'zod';
import { Count } from './common.js';

/** Attention over the outputs of a backbone's blocks (Wang et al. 2021): which modules, where, in which form. */
export const AttentionConfig = z.strictObject({
  /** Blocks whose outputs are attended to, counted from 0, ascending; the last block among them. Default: the last three. */
  taps: z.array(z.int().min(0)).min(1).optional(),
  /** `channel` gates the maps of a tap, `element` weighs their locations, `scale` weighs the taps. None: a plain network. */
  modules: z.array(z.enum(['channel', 'element', 'scale'])).default(['channel', 'element', 'scale']),
  /** `branch`: later blocks read the ungated maps; `inline`: they read them times twice the gate. */
  gate: z.enum(['branch', 'inline']).default('branch'),
  /** What the weights of a map sum to 1 over; `classes` needs several. */
  softmax: z.enum(['locations', 'classes']).default('locations'),
  /** Score of a tap: the sum over its locations, or their mean. */
  score: z.enum(['sum', 'mean']).default('sum'),
  /** What a tap gives to the scale module: A S, or A sigmoid(S). */
  pass: z.enum(['linear', 'sigmoid']).default('linear'),
  /** Tap on whose grid the maps of all taps are put together, by its block; default the last but one. */
  grid: z.int().min(0).optional(),
  /** Hidden units of the network that weighs the taps. */
  hidden: Count.default(16),
  /** Element and scale attention read the taps without sending gradients back; the main output still trains the backbone. */
  detach: z.boolean().default(false),
});
export type AttentionConfig = z.infer<typeof AttentionConfig>;

/** Filters of the first two convolutions of f_att: one number for both, or two. */
export const AttentionWidth = z.union([Count, z.tuple([Count, Count])]);
