/** Every frame's calibrated probability, class and event from a trained model. */
import type { Calibration, EventRow } from '../../schemas/records/index.js';
import { buildModel } from '../models/index.js';
import type { OnProgress } from '../progress.js';
import { segments } from '../sequences/index.js';
import type { FrameStore } from '../shards/index.js';
import type { TrainedModel } from '../training/index.js';
import { applyCalibration, sigmoid } from './calibration/calibrate.js';
import { eventsOf } from './events/events.js';
import { postProcess } from './events/hysteresis.js';
import { type FramePredictions, predictFrames } from './stream.js';
import { type TapAttention, tapBytes } from './tapAttention.js';

/** Aligned with the frames of the index. */
export interface Labelled {
  /** Calibrated log odds; NaN for bad frames. */
  logit: Float64Array;
  probability: Float64Array;
  predicted: Uint8Array;
  /** Number of the predicted event, 0 outside. */
  event: Int32Array;
  events: EventRow[];
  context: Int32Array;
  /** `[frame, height, width]`; null where it was not asked for or would not fit in memory. */
  attention: Float32Array | null;
  /** The same by tap of the model; null too for a model without taps. */
  taps: TapAttention | null;
}

export interface LabelFramesOptions {
  attention?: boolean;
  onProgress?: OnProgress;
  log?: (line: string) => void;
  signal?: AbortSignal;
}

/** Maps of all frames are held at once; beyond this they are left out. */
const MOST_ATTENTION_BYTES = 2 ** 30;

export async function labelFrames(
  trained: TrainedModel,
  store: FrameStore,
  calibration: Calibration,
  { attention = false, log, ...options }: LabelFramesOptions = {},
): Promise<Labelled> {
  const { index, description } = store;
  const model = buildModel(trained.config, trained.shape);
  const cells = description.grid.width * description.grid.height;
  const bytes = index.length * (4 * cells + tapBytes(model));
  const fits = bytes <= MOST_ATTENTION_BYTES;
  if (attention && !model.looks) log?.('the model has no attention: there are no maps to keep');
  else if (attention && !fits)
    log?.(`attention maps are left out: ${(bytes / 2 ** 30).toFixed(1)} GiB are more than 1 GiB`);
  const found = await predictFrames(trained, store, undefined, { ...options, attention: attention && fits });
  return fromLogits(found, store, calibration);
}

/** Probabilities, storm frames and events from the models' raw logits of every frame. */
export function fromLogits(
  { logit: raw, context, attention, taps }: FramePredictions,
  { index, description }: Pick<FrameStore, 'index' | 'description'>,
  calibration: Calibration,
): Labelled {
  const own = segments(index, description.stepMs);
  const logit = applyCalibration(calibration, raw);
  const probability = logit.map((z) => (Number.isNaN(z) ? z : sigmoid(z)));
  const predicted = postProcess(probability, own, calibration);
  const found = eventsOf({ description, index, segments: own, attention, probability, predicted });
  return { logit, probability, predicted, ...found, context, attention, taps };
}
