/** Logits that no frame's own label has touched: every non-test frame is scored by a model that was not trained near it. */
import type { LabelTable } from '../../labels/index.js';
import type { OnProgress } from '../../progress.js';
import { type Split, TEST } from '../../sequences/index.js';
import type { FrameStore } from '../../shards/index.js';
import { calibrationFolds } from './folds.js';

export interface OutOfFoldInput<Model> {
  store: FrameStore;
  labels: LabelTable;
  split: Split;
  folds: number;
  /** Trains on the TRAIN part of a fold's split. */
  fit(split: Split, fold: number): Promise<Model>;
  /** Logits of `frames` without what training added for the imbalance (the prior), NaN for bad frames. */
  predict(model: Model, frames: Uint32Array): Promise<ArrayLike<number>>;
  /** A fold's logits from an earlier, interrupted call; null: not there. */
  recall?(split: Split): Promise<Float32Array | null>;
  /** Keeps a finished fold. */
  remember?(split: Split, logits: Float32Array): Promise<void>;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

export interface OutOfFold {
  /** Per frame of the index, prior subtracted; NaN where no fold scored it. */
  logit: Float32Array;
  folds: number;
}

export async function outOfFold<Model>(input: OutOfFoldInput<Model>): Promise<OutOfFold> {
  const { store, labels, split, onProgress, signal } = input;
  const folds = calibrationFolds(store, labels, split, input.folds);
  const logit = new Float32Array(store.index.length).fill(Number.NaN);
  for (const [fold, own] of folds.entries()) {
    signal?.throwIfAborted();
    onProgress?.({ stage: 'calibration', done: fold, total: folds.length, unit: 'folds' });
    const frames = Uint32Array.from(own.part.keys()).filter((f) => own.part[f] === TEST);
    const scores = await scoreFold(input, own, fold, frames);
    frames.forEach((frame, i) => {
      logit[frame] = scores[i];
    });
  }
  onProgress?.({ stage: 'calibration', done: folds.length, total: folds.length, unit: 'folds' });
  return { logit, folds: folds.length };
}

async function scoreFold<Model>(
  { fit, predict, recall, remember }: OutOfFoldInput<Model>,
  split: Split,
  fold: number,
  frames: Uint32Array,
): Promise<Float32Array> {
  const known = await recall?.(split);
  if (known?.length === frames.length) return known;
  const scores = Float32Array.from(await predict(await fit(split, fold), frames));
  await remember?.(split, scores);
  return scores;
}
