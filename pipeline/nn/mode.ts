import type { Random } from '../random.js';

/** How a model runs: `random` feeds dropout and is null where nothing is drawn. */
export interface Mode {
  /** Dropout is active and batch norm uses the batch's own moments. */
  readonly training: boolean;
  readonly random: Random | null;
  /** The frames are `from` .. `to - 1` of a batch of `of` frames that is encoded in parts: masks are those of the whole. */
  readonly part?: { readonly from: number; readonly to: number; readonly of: number };
  /** Segments are done again for the gradient instead of kept, see segment.ts. */
  readonly again?: boolean;
}

/** Inference: no dropout, stored moments. */
export const EVALUATION: Mode = { training: false, random: null };
