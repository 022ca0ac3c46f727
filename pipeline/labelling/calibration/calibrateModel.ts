/** The calibration of a trained model: out of fold, else on the validation part, else for the prior alone. */
import type { Calibration } from '../../../schemas/records/index.js';
import { ConfigError } from '../../errors.js';
import { segments, VALIDATION } from '../../sequences/index.js';
import { dispose } from '../../tensor/index.js';
import { fitModel, type TrainedModel } from '../../training/index.js';
import { countEvents } from '../intervals/units.js';
import { judgedFrames } from '../judged.js';
import type { LabelWithInput } from '../run.js';
import { predictFrames } from '../stream.js';
import { fitCalibration, priorCalibration } from './calibrate.js';
import { keptLogits } from './kept.js';
import { outOfFold } from './outOfFold.js';

/** Test frames take no part. */
export async function calibrateModel(input: LabelWithInput, trained: TrainedModel): Promise<Calibration> {
  const calibration = await fitted(input, trained);
  if (trained.training.loss !== 'focal' || calibration.method !== 'prior') return calibration;
  // What the weighted loss adds is known and subtracted; what focal loss does to probabilities can only be fitted.
  const words = 'focal loss bends probabilities and nothing was fitted to straighten them';
  input.log?.(`${words}: use training.loss weighted, or give more events to calibrate on`);
  return { ...calibration, fittedOn: `${calibration.fittedOn}; ${words}` };
}

async function fitted(input: LabelWithInput, trained: TrainedModel): Promise<Calibration> {
  const { calibrationFolds: folds, ...rules } = input.config.labelling;
  const found = folds >= 2 ? await crossValidated(input, trained, folds) : await onValidation(input, trained);
  if (!found)
    return priorCalibration(trained.prior, { ...rules, fittedOn: 'nothing but the weight of the loss' });
  const { store, labels } = input;
  const { index, description } = store;
  const judged = judgedFrames(index, labels).filter((f) => !Number.isNaN(found.logit[f]));
  const label = new Int8Array(index.length).fill(-1);
  for (const frame of judged) label[frame] = labels.label[frame];
  // In the segments of the whole dataset, as labelling will see them.
  const own = segments(index, description.stepMs);
  const options = { ...rules, segments: own, fittedOn: found.words };
  return fitCalibration(found.logit, label, countEvents(labels, judged), trained.prior, options);
}

interface Found {
  /** Per frame of the index, as the model's own logits (with its prior); NaN where not scored. */
  logit: Float32Array;
  words: string;
}

async function crossValidated(
  input: LabelWithInput,
  trained: TrainedModel,
  folds: number,
): Promise<Found | null> {
  const { store, labels, split, config, runDir, onProgress, log, signal } = input;
  const members = config.labelling.calibrationMembers ?? trained.training.ensemble;
  // A fold has no validation part to stop on.
  const training = { ...trained.training, ensemble: members, patience: undefined };
  const model = trained.config;
  const kept = keptLogits(runDir, { model, training, backend: trained.backend });
  try {
    const { logit, folds: used } = await outOfFold<TrainedModel>({
      store,
      labels,
      split,
      folds,
      fit: (own) => fitModel({ store, labels, split: own, model, training, onProgress, signal }),
      predict: async (fold, frames) => {
        const { logit: raw } = await predictFrames(fold, store, frames, { signal });
        for (const member of fold.members) dispose(member);
        return raw.map((z) => z - fold.prior);
      },
      ...kept,
      onProgress,
      signal,
    });
    const words = `out-of-fold logits of ${used} blocks over all non-test frames${members === trained.training.ensemble ? '' : `, ${members} of ${trained.training.ensemble} members`}`;
    return { logit: logit.map((z) => z + trained.prior), words };
  } catch (error) {
    // Too little data for folds (a fold without a storm to train on) is no reason to label nothing.
    if (!(error instanceof ConfigError)) throw error;
    const { refit } = config.labelling;
    log?.(`${error.message}; calibrated ${refit ? 'for' : 'on the validation part or'} the prior alone`);
    return refit ? null : onValidation(input, trained);
  }
}

async function onValidation(
  { store, labels, split, signal }: LabelWithInput,
  trained: TrainedModel,
): Promise<Found | null> {
  const frames = judgedFrames(store.index, labels, split.part, [VALIDATION]);
  if (frames.length === 0) return null;
  const { logit: raw } = await predictFrames(trained, store, frames, { signal });
  const logit = new Float32Array(store.index.length).fill(Number.NaN);
  frames.forEach((frame, i) => {
    logit[frame] = raw[i];
  });
  return { logit, words: 'logits of the validation part' };
}
