/** Training: from a dataset with labels and a split to a saved model, resumable at any step. */
export { averagePrecision } from './averagePrecision.js';
export type { CarriedFeatures, Look } from './encodeFrames.js';
export { type FitInput, fitModel } from './fit.js';
export { type FrameTensorOptions, type FrameTensors, frameTensors, streamedFrames } from './frames.js';
export { type StartReport, startText } from './initial.js';
export type { StepRecord } from './log.js';
export { type Imbalance, imbalance, lossValues } from './loss.js';
export { loadProvenance, loadSplit, Provenance, saveProvenance } from './provenance.js';
export { assertFits, ModelRecord, type TrainedModel } from './record.js';
export { readSafetensors, writeSafetensors } from './safetensors.js';
export { type Sanity, sanity } from './sanity.js';
export { loadRecord, loadTrained, saveRecord, saveTrained } from './saved.js';
export { learningRateAt } from './schedule.js';
export { scoreFrames } from './score.js';
export type { FrameScore, ScoreInput } from './scoreInput.js';
export { clippedStep, globalNorm } from './trainer.js';
