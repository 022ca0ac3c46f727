/** run/anomaly/model.json: all that scoring needs besides the weights. */
import * as z from 'zod';
import { AnomalyConfig } from '../../schemas/config/index.js';
import { Grid } from '../../schemas/records/index.js';
import { ChannelStatistics } from '../channels/index.js';
import type { ParameterTree } from '../tensor/index.js';

export const AnomalyRecord = z.strictObject({
  formatVersion: z.literal(1),
  config: AnomalyConfig,
  bandNames: z.array(z.string()),
  grid: Grid,
  channels: ChannelStatistics,
  features: z.strictObject({
    /** Components in use; fewer than asked for where the data have fewer. */
    count: z.int().min(1),
    /** Edge of the blocks of cells that are averaged before the components. */
    pool: z.int().min(1),
    /** Share of the variance of the averaged channels that the components hold. */
    explained: z.number(),
    /**
     * Root mean variance of the components, by which all are divided. Each by its own would make the faint ones as loud
     * as the leading ones; calm held-out frames are then less likely (NCEP R1: 20 nats a frame against 17).
     */
    unit: z.number().positive(),
  }),
  fit: z.strictObject({ frames: z.int(), windows: z.int(), finalLoss: z.number(), words: z.string() }),
  calibration: z.strictObject({
    /** Frame scores of held-out calm frames, one a block, ascending. */
    scores: z.array(z.number()),
    /** Calm frames held out, before thinning. */
    frames: z.int(),
    /** Length of a block in frames. */
    lag: z.int(),
    smallestP: z.number().nullable(),
    words: z.string(),
  }),
  /** Frame score that a calm frame exceeds with probability `q`, by the tail of all held-out scores; null: too few. */
  threshold: z.strictObject({ q: z.number(), value: z.number(), method: z.string() }).nullable(),
  datasetHash: z.string(),
  splitHash: z.string().nullable(),
});
export type AnomalyRecord = z.infer<typeof AnomalyRecord>;

/** A fitted model; `parameters` and `axes` are the caller's to free and keep. */
export interface AnomalyModel extends AnomalyRecord {
  parameters: ParameterTree;
  components: PrincipalComponents;
}

/** Rows of `axes` `[component, width]` are orthonormal; features are coordinates divided by `features.unit`. */
export interface PrincipalComponents {
  count: number;
  /** `[width]`, of the averaged channels; subtracted first. */
  mean: Float32Array;
  /** `[width]`, 1 / standard deviation; 0 where it is constant. */
  scale: Float32Array;
  axes: Float32Array;
}
