import type { Random } from '../random.js';

/** How a model runs: `random` feeds dropout and is null where nothing is drawn. */
export interface Mode {
  /** Dropout is active and batch norm uses the batch's own moments. */
  readonly training: boolean;
  readonly random: Random | null;
}

/** Inference: no dropout, stored moments. */
export const EVALUATION: Mode = { training: false, random: null };
