import * as z from 'zod';
import { Count, Share } from './common.js';

export const TrainingConfig = z.strictObject({
  seed: z.int().min(0).default(0),
  /** Members of the ensemble: seeds seed, seed + 1, ... */
  ensemble: Count.default(1),
  /** Frames in a window. */
  windowLength: Count.default(16),
  /** Frames between window starts when training. */
  windowStride: Count.default(1),
  gaps: z.enum(['split', 'mask']).default('split'),
  /** Windows in a batch. */
  batch: Count.default(8),
  /** Batches whose gradients are summed for one update, as if they were one; batch norm sees each by itself. */
  accumulate: Count.default(1),
  /** Optimiser updates; or `epochs`. */
  steps: Count.optional(),
  epochs: Count.optional(),
  loss: z.enum(['bce', 'weighted', 'focal']).default('weighted'),
  /** Cap of the positive weight N-/N+. */
  weightCap: z.number().min(1).default(20),
  /** Weight of the cross-entropy of the evidence map at the labelled centre; 0 for none. */
  centre: z.number().min(0).default(0),
  learningRate: z.number().positive().default(3e-3),
  /**
   * Factors on the learning rate, by part of the model: `encoder/backbone: 0.1` reaches all leaves whose names begin so, the
   * longest name counts. Parts: `encoder`, `encoder/backbone`, `encoder/backbone/block4`, `encoder/attention`, `head`, ...
   */
  learningRates: z.record(z.string(), z.number().positive()).default({}),
  /** Weights to start from: a run's folder or a safetensors file; the encoder's leaves are taken by name. */
  init: z.string().min(1).optional(),
  /** sha256 of that file; training fills it in, and refuses another file under the name. */
  initSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  /** AdamW decay, on matrices and kernels only. */
  weightDecay: z.number().min(0).default(0.1),
  warmup: Share.default(0.1),
  clip: z.number().positive().default(1),
  /** Standard deviation of Gaussian noise on standardised inputs. */
  noise: z.number().min(0).default(0),
  /**
   * Random left-right mirror and shifts by whole cells: only right where the place on the grid means nothing, and the
   * mirror only for bands without a direction (no eastward wind).
   */
  mirror: z.boolean().default(false),
  shift: z.int().min(0).default(0),
  /** Stop after this many evaluations without a better validation average precision; needs a validation part. */
  patience: Count.optional(),
  /** Updates between evaluations on the validation part. */
  evaluateEvery: Count.default(50),
  /** Updates between checkpoints. */
  checkpointEvery: Count.default(50),
  /**
   * Memory for frames, MiB: where all that train and validate fit in as channels they are held, else they stream through a
   * ring and buffers that together stay within it. What two batches need is the least.
   */
  memoryMiB: Count.default(1024),
  /**
   * What a step keeps for the gradient: `full` everything; `framewise` a few frames at a time, exact, one more pass forward;
   * `blockwise` within these one block at a time. `auto` takes the first that fits.
   */
  memory: z.enum(['auto', 'full', 'framewise', 'blockwise']).default('auto'),
  /** Memory for that, MiB; default: six tenths of the machine's, or of the container's. */
  stepMemoryMiB: Count.optional(),
  /** Threads that read frames ahead of streamed training; 0 reads between the steps. The order is the same for any number. */
  readerThreads: z.int().min(0).max(16).default(1),
});
export type TrainingConfig = z.infer<typeof TrainingConfig>;

export const LabellingConfig = z.strictObject({
  /** Blocks of the out-of-fold calibration over all non-test frames; 0 switches it off. */
  calibrationFolds: z.int().min(0).default(3),
  /** Members of each fold's ensemble; default: as many as the model has. Fewer are quicker and a little less sharp. */
  calibrationMembers: Count.optional(),
  /** After calibration train again on all non-test frames, with the fixed number of steps. */
  refit: z.boolean().default(false),
  /** For a recurrent model: train the same encoder without recurrence too, so that the ladder shows what time adds. */
  perFrameRung: z.boolean().default(true),
  /** West, south, east, north in degrees: where the label was counted; the simple rungs of the ladder look there only. */
  box: z.tuple([z.number(), z.number(), z.number(), z.number()]).optional(),
  /** Keep attention or evidence maps of every frame. */
  attention: z.boolean().default(true),
  /** Fill gaps up to this many frames, drop runs shorter than `minimumRun`. */
  fillGap: z.int().min(0).default(1),
  minimumRun: Count.default(1),
  /** Fixed thresholds; default: chosen on out-of-fold scores. */
  high: Share.optional(),
  low: Share.optional(),
});
export type LabellingConfig = z.infer<typeof LabellingConfig>;

export const AnomalyConfig = z.strictObject({
  cell: z.enum(['gru', 'lstm']).default('gru'),
  /** Principal components that describe a frame. */
  features: Count.default(20),
  windowLength: Count.default(5),
  units: Count.default(32),
  latent: Count.default(8),
  steps: Count.default(400),
  seed: z.int().min(0).default(0),
  /** Train on frames without storms, or on all. */
  trainOn: z.enum(['calm', 'all']).default('calm'),
});
export type AnomalyConfig = z.infer<typeof AnomalyConfig>;
