/** Which frames the model learns from and which are held out to say what is usual. */
import type { AnomalyConfig } from '../../schemas/config/index.js';
import { ConfigError } from '../errors.js';
import type { LabelTable } from '../labels/index.js';
import { type Split, TRAIN, VALIDATION } from '../sequences/index.js';
import type { FrameIndex } from '../shards/index.js';

export interface ChosenFrames {
  /** Ascending. */
  fit: Uint32Array;
  /** Calm, held out, ascending. */
  calibration: Uint32Array;
  words: string;
}

/** Fewer calm validation frames than this, and the end of the training part is held out instead. */
const LEAST_VALIDATION = 30;
/** Share of the training part's time that is held out then. */
const HELD_OUT = 0.25;
/** Fewer frames to learn from than this, and none is held out. */
const LEAST_FIT = 20;

/** @throws ConfigError when no frame is left to learn from. */
export function chooseFrames(
  index: FrameIndex,
  stepMs: number | null,
  { labels, split, config }: { labels: LabelTable | null; split: Split | null; config: AnomalyConfig },
): ChosenFrames {
  const isCalm = (frame: number) => !labels || (labels.label[frame] !== 1 && labels.ignore[frame] === 0);
  const ofPart = (part: number) =>
    Uint32Array.from(
      Array.from(index.ok.keys()).filter(
        (f) => index.ok[f] === 1 && (split ? split.part[f] === part : part === TRAIN),
      ),
    );
  const train = ofPart(TRAIN);
  const usable = config.trainOn === 'calm' ? train.filter(isCalm) : train;
  const what = config.trainOn === 'calm' && labels ? 'frames without storms' : 'all frames';
  const validation = ofPart(VALIDATION).filter(isCalm);
  const chosen =
    validation.length >= LEAST_VALIDATION
      ? {
          fit: usable,
          calibration: validation,
          words: `${what} of the training part; calibrated on calm validation frames`,
        }
      : holdOut(index, stepMs, {
          usable,
          train: train.filter(isCalm),
          what,
          windowLength: config.windowLength,
        });
  if (chosen.fit.length >= 2) return chosen;
  throw new ConfigError(`${chosen.fit.length} frames are left to fit the anomaly model on: ${chosen.words}`, {
    hint: 'set anomaly.trainOn: all, or give the split more training frames',
    fields: { frames: chosen.fit.length, train: train.length },
  });
}

/** The last quarter of the training time calibrates, one window apart from what is learned. */
function holdOut(
  index: FrameIndex,
  stepMs: number | null,
  {
    usable,
    train,
    what,
    windowLength,
  }: { usable: Uint32Array; train: Uint32Array; what: string; windowLength: number },
): ChosenFrames {
  if (stepMs === null) {
    const isHeld = (frame: number) => frame % 4 === 3;
    const words = `${what} of the training part but every fourth frame, which calibrates`;
    return { fit: usable.filter((f) => !isHeld(f)), calibration: train.filter(isHeld), words };
  }
  const times = Float64Array.from(new Set(Array.from(train, (f) => index.time[f]))).sort();
  const cut = times[Math.floor(times.length * (1 - HELD_OUT))] ?? Infinity;
  const end = cut - windowLength * stepMs;
  const fit = usable.filter((f) => index.time[f] < end);
  if (fit.length < LEAST_FIT) {
    const words = `${what} of the training part; too few to hold some out`;
    return { fit: usable, calibration: new Uint32Array(0), words };
  }
  return {
    fit,
    calibration: train.filter((f) => index.time[f] >= cut),
    words: `${what} of the first three quarters of the training time; calibrated on calm frames of its last quarter, one window apart`,
  };
}
