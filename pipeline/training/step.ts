/** One training step's loss: encoder, head, masked losses, as tensors. */
import type { TrainingConfig } from '../../schemas/config/index.js';
import { type Encoded, type Model, mapCell } from '../models/index.js';
import type { Mode } from '../nn/index.js';
import {
  add,
  logSoftmax,
  matMul,
  mul,
  neg,
  oneHot,
  type ParameterTree,
  reshape,
  sum,
  type Tensor,
  tensor,
} from '../tensor/index.js';
import { type Batch, SEASON } from './batch.js';
import { lossValues, maskedMean } from './loss.js';

export interface LossInput {
  model: Model;
  parameters: ParameterTree;
  batch: Batch;
  /** `[frames of the batch, height, width, channels]` */
  x: Tensor;
  /** Cell of the frame where the storm's centre is, by frame of the batch; -1 where unknown or outside. */
  centres: Int32Array;
  training: Pick<TrainingConfig, 'loss' | 'centre'>;
  positiveWeight: number;
  mode: Mode;
}

export interface StepOutput {
  loss: Tensor;
  /** `[batch, time]` */
  logits: Tensor;
  /** New values of moving moments, by leaf. */
  updates: Record<string, Tensor>;
}

/** Loss = classification + auxiliary weight x sum of the taps' auxiliary losses + centre weight x centre cross-entropy. */
export function stepLoss(input: LossInput): StepOutput {
  const { model, parameters, x, mode } = input;
  const encoded = model.encode(parameters, x, mode);
  const head: Mode = { ...mode, part: undefined };
  return { ...encodedLoss(encoded, { ...input, mode: head }), updates: encoded.updates ?? {} };
}

/** What the encoder says of each frame, as far as the loss reads it. */
export type Codes = Pick<Encoded, 'features' | 'auxiliary'> & { map?: Tensor | null };

/** The same from the encoder's outputs for all frames of the batch. */
export function encodedLoss(
  encoded: Codes,
  { model, parameters, batch, centres, training, positiveWeight, mode }: Omit<LossInput, 'x'>,
): Omit<StepOutput, 'updates'> {
  const size = batch.batch * batch.time;
  const { logits } = model.head(
    parameters,
    {
      features: inWindows(encoded.features, batch), // [batch, time, features]
      season: batch.season && tensor(batch.season, [batch.batch, batch.time, SEASON]),
      valid: batch.frames.length === size ? null : tensor(batch.valid, [batch.batch, batch.time]),
      state: null,
    },
    mode,
  );
  const flat = reshape(logits, [size]);
  const values = lossValues(training.loss, flat, tensor(batch.label, [size]), positiveWeight);
  let loss = maskedMean(values, tensor(batch.mask, [size]), batch.count);
  if (encoded.auxiliary && model.auxiliary > 0) {
    const { label, mask } = byFrame(batch);
    const [own, counted] = [label, mask].map((values) => tensor(values, [values.length]));
    for (const score of encoded.auxiliary) {
      const values = lossValues(training.loss, score, own, positiveWeight);
      loss = add(loss, mul(maskedMean(values, counted, batch.count), model.auxiliary));
    }
  }
  const targets = training.centre > 0 && encoded.map ? centreTargets(model, batch, centres) : null;
  if (targets && encoded.map)
    loss = add(loss, mul(centreLoss(encoded.map, targets, batch.count), training.centre));
  return { loss, logits: reshape(logits, [batch.batch, batch.time]) };
}

/** `[frames, features]` -> `[batch, time, features]`, zeros where there is no frame. */
function inWindows(features: Tensor, { batch, time, frames, place }: Batch): Tensor {
  const [, size] = features.shape;
  if (frames.length === batch * time) return reshape(features, [batch, time, size]);
  // A product with 0 and 1 instead of gather: it has a gradient on every backend. -1 gives a row of zeros.
  return reshape(matMul(oneHot(place, frames.length), features), [batch, time, size]);
}

/** Labels and mask by encoded frame. */
function byFrame({ frames, place, label, mask }: Batch) {
  const own = { label: new Float32Array(frames.length), mask: new Float32Array(frames.length) };
  place.forEach((frame, at) => {
    if (frame < 0) return;
    own.label[frame] = label[at];
    own.mask[frame] = mask[at];
  });
  return own;
}

/** Map cell of the centre for frames whose label counts and is storm; null where no frame has one. */
function centreTargets(model: Model, batch: Batch, centres: Int32Array): Int32Array | null {
  const { label, mask } = byFrame(batch);
  const targets = centres.map((cell, i) => (label[i] * mask[i] === 1 ? mapCell(model, cell) : -1));
  return targets.some((cell) => cell >= 0) ? targets : null;
}

/** Cross-entropy of softmax(map) at the target cell, summed over frames that have one, over `count`. */
function centreLoss(map: Tensor, targets: Int32Array, count: number): Tensor {
  const [frames, height, width] = map.shape;
  const likely = logSoftmax(reshape(map, [frames, height * width]), 1);
  return mul(neg(sum(mul(likely, oneHot(targets, height * width)))), 1 / Math.max(1, count));
}
