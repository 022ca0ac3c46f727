/**
 * Anomaly scores of every frame, larger is stranger: the autoencoder's, and three simple ones beside it.
 *
 *   const scores = await scoreFrames(model, store);      // a backend must be open
 */
import type { OnProgress } from '../progress.js';
import { segments } from '../sequences/index.js';
import type { FrameIndex, FrameStore } from '../shards/index.js';
import { dispose, slice, tidy } from '../tensor/index.js';
import { assertFits } from '../training/index.js';
import { autoencoder } from './autoencoder.js';
import { conformalP } from './conformal.js';
import { type FrameFeatures, frameFeatures } from './features.js';
import type { AnomalyModel } from './record.js';
import { type EndingWindows, endingWindows, windowBatch } from './windows.js';

/** One number a frame of the store; NaN: none. */
export interface AnomalyScores {
  /** Nats of the frame at the end of its window, summed over features. */
  score: Float64Array;
  /** Largest frame score in the window that ends here. */
  window: Float64Array;
  /** Split-conformal p-value of `score`. */
  p: Float64Array;
  /** Mean square that the principal components leave over. */
  pca: Float64Array;
  /** Root mean square difference of the features from those of the frame before in the segment. */
  persistence: Float64Array;
  /** Root mean square of the standardised channels, of the Laplacians alone where there are any. */
  norm: Float64Array;
}

interface Options {
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

/** @throws ModelMismatchError when the dataset has other bands or another grid than the model. */
export async function scoreFrames(
  model: AnomalyModel,
  store: FrameStore,
  { features, ...options }: Options & { features?: FrameFeatures } = {},
): Promise<AnomalyScores> {
  assertFits(model, store);
  const known = features ?? (await frameFeatures(store, model, options));
  const { index, description } = store;
  const ending = endingWindows(segments(index, description.stepMs), index.length, model.config.windowLength);
  const there = usable(index, known);
  const frames = Uint32Array.from(there.keys()).filter((frame) => there[frame] === 1);
  const input = { ending, values: known.values, there, frames, ...options };
  const score = await windowScores(model, input);
  const { scores: calibration } = model.calibration;
  return {
    score,
    window: largestInWindow(score, ending),
    p: score.map((s) => conformalP(s, calibration) ?? Number.NaN),
    pca: known.residual,
    persistence: fromFrameBefore(input, model.features.count),
    norm: known.norm,
  };
}

/** 1 for frames that could be read and whose channels are all numbers. */
export function usable({ ok }: FrameIndex, { norm }: Pick<FrameFeatures, 'norm'>): Uint8Array {
  return ok.map((good, frame) => (good === 1 && Number.isFinite(norm[frame]) ? 1 : 0));
}

interface WindowScoresInput extends Options {
  ending: EndingWindows;
  /** `[frame, feature]` */
  values: Float32Array;
  /** 1 for frames that count in a window. */
  there: Uint8Array;
  /** Frames to score, ascending. */
  frames: Uint32Array;
}

/** Numbers of one pass through the autoencoder. */
const PASS_VALUES = 2 ** 18;

/** Nats of each of `frames`, decoded from its window; NaN for all others. */
export async function windowScores(
  { config, features, parameters }: Pick<AnomalyModel, 'config' | 'features' | 'parameters'>,
  { ending, values, there, frames, onProgress, signal }: WindowScoresInput,
): Promise<Float64Array> {
  const { count } = features;
  const net = autoencoder(config, count);
  const mode = { training: false, random: null };
  const pass = Math.max(1, Math.floor(PASS_VALUES / (ending.length * count)));
  const score = new Float64Array(there.length).fill(Number.NaN);
  for (let from = 0; from < frames.length; from += pass) {
    signal?.throwIfAborted();
    const ends = frames.subarray(from, from + pass);
    const batch = windowBatch(ending, ends, values, count, there);
    const last = tidy(() =>
      slice(net.nll(parameters, batch, mode), [0, ending.length - 1], [ends.length, 1]),
    );
    const nats = await last.data();
    dispose([batch.x, batch.mask, last]);
    ends.forEach((frame, i) => {
      score[frame] = there[frame] === 1 && Number.isFinite(nats[i]) ? nats[i] : Number.NaN;
    });
    onProgress?.({ stage: 'scores', done: from + ends.length, total: frames.length, unit: 'frames' });
  }
  return score;
}

function largestInWindow(score: Float64Array, { length, start }: EndingWindows): Float64Array {
  return score.map((own, frame) => {
    if (Number.isNaN(own)) return own;
    let largest = own;
    for (let f = Math.max(start[frame], frame - length + 1); f < frame; f++)
      if (score[f] > largest) largest = score[f];
    return largest;
  });
}

function fromFrameBefore(
  { ending, values, there }: Pick<WindowScoresInput, 'ending' | 'values' | 'there'>,
  count: number,
): Float64Array {
  return Float64Array.from(there, (own, frame) => {
    if (!own || frame <= ending.start[frame] || !there[frame - 1]) return Number.NaN;
    let sum = 0;
    for (let j = 0, at = frame * count; j < count; j++, at++) sum += (values[at] - values[at - count]) ** 2;
    return Math.sqrt(sum / count);
  });
}
