/** Which frames the model learns from and which are held out to say what is usual. */
import type { AnomalyConfig } from '../../schemas/config/index.js';
import { ConfigError } from '../errors.js';
import type { LabelTable } from '../labels/index.js';
import { type Split, TEST, TRAIN, VALIDATION } from '../sequences/index.js';
import type { FrameStore } from '../shards/index.js';
import { holdOut } from './holdOut.js';

export interface ChosenFrames {
  /** Ascending. */
  fit: Uint32Array;
  /** Calm, held out, ascending. */
  calibration: Uint32Array;
  words: string;
}

/** Fewer calm validation frames than this, and a piece of the training part is held out instead. */
const LEAST_VALIDATION = 30;

/** @throws ConfigError when no frame is left to learn from. */
export function chooseFrames(
  frames: Pick<FrameStore, 'index' | 'description'>,
  { labels, split, config }: { labels: LabelTable | null; split: Split | null; config: AnomalyConfig },
): ChosenFrames {
  const { index } = frames;
  const isCalm = (frame: number) => !labels || (labels.label[frame] !== 1 && labels.ignore[frame] === 0);
  const ofPart = (part: number) =>
    Uint32Array.from(index.ok.keys()).filter(
      (f) => index.ok[f] === 1 && (split ? split.part[f] === part : part === TRAIN),
    );
  const train = ofPart(TRAIN);
  const calm = train.filter(isCalm);
  const usable = config.trainOn === 'calm' ? calm : train;
  const what = config.trainOn === 'calm' && labels ? 'frames without storms' : 'all frames';
  const testSeries = new Set(Array.from(ofPart(TEST), (f) => index.series[f]));
  const validation = ofPart(VALIDATION).filter(isCalm);
  const { windowLength } = config;
  const chosen =
    validation.length < LEAST_VALIDATION
      ? holdOut(frames, { usable, calm, testSeries, windowLength, what })
      : {
          fit: usable,
          calibration: validation,
          words: `${what} of the training part; calibrated on calm validation frames`,
        };
  if (chosen.fit.length >= 2) return chosen;
  throw new ConfigError(`${chosen.fit.length} frames are left to fit the anomaly model on: ${chosen.words}`, {
    hint: 'set anomaly.trainOn: all, or give the split more training frames',
    fields: { frames: chosen.fit.length, train: train.length },
  });
}
