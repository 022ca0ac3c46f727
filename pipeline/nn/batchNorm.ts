/** Batch normalisation of the last axis (Ioffe and Szegedy 2015), Keras' numbers: momentum .99, epsilon 1e-3. */
import * as z from 'zod';
import { Count } from '../../schemas/config/index.js';
import {
  add,
  batchNorm,
  batchNormTraining,
  mul,
  ones,
  stopGradient,
  type Tensor,
  zeros,
} from '../tensor/index.js';
import type { Mode } from './mode.js';

export const Config = z.strictObject({ channels: Count });
export type Config = z.infer<typeof Config>;
export type Parameters = { gamma: Tensor; beta: Tensor; movingMean: Tensor; movingVariance: Tensor };
/** New values of the moving moments; the caller stores them, nothing changes by itself. */
export type Update = Pick<Parameters, 'movingMean' | 'movingVariance'>;

const MOMENTUM = 0.99;

export function init(config: Config): Parameters {
  const { channels } = Config.parse(config);
  return {
    gamma: ones([channels]),
    beta: zeros([channels]),
    movingMean: zeros([channels]),
    movingVariance: ones([channels]),
  };
}

/** Leaves that no gradient reaches and no optimiser touches. */
export const isMoving = (name: string): boolean => /(^|\/)moving(Mean|Variance)$/.test(name);

/**
 * `x [..., channels]` -> the same shape; in training with the batch's moments and an update of the moving ones. `epsilon` is
 * added to the variance, default 1e-3.
 */
export function apply(
  { gamma, beta, movingMean, movingVariance }: Parameters,
  x: Tensor,
  mode: Mode,
  { epsilon = 1e-3 }: { epsilon?: number } = {},
): { y: Tensor; update: Update | null } {
  if (!mode.training) {
    const y = batchNorm(x, { mean: movingMean, variance: movingVariance, gamma, beta, epsilon });
    return { y, update: null };
  }
  const { y, mean, variance } = batchNormTraining(x, { gamma, beta, epsilon });
  const update = {
    movingMean: blend(movingMean, mean),
    movingVariance: blend(movingVariance, variance),
  };
  return { y, update };
}

const blend = (old: Tensor, now: Tensor): Tensor =>
  add(mul(old, MOMENTUM), mul(stopGradient(now), 1 - MOMENTUM));
