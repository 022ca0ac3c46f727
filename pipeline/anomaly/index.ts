/** Anomaly: how unusual each frame is against calm ones. Unusual is not the same as storm; the page says so. */

export { type Autoencoder, autoencoder, type WindowBatch, windowLoss } from './autoencoder.js';
export { calibrate } from './calibrate.js';
export { conformalP, smallestP } from './conformal.js';
export { decorrelationLag, thin } from './decorrelation.js';
export { type FrameFeatures, fitFeatures, frameFeatures } from './features.js';
export { scoreRows, writeScores } from './files.js';
export { type FitAnomalyInput, type FittedAnomaly, fitAnomaly } from './fit.js';
export { type ChosenFrames, chooseFrames } from './frames.js';
export { gaussianNll } from './likelihood.js';
export { anomalyAlarms, anomalyMetrics } from './metrics.js';
export { fitPareto, linearQuantile, peaksOverThreshold } from './pareto.js';
export { type AnomalyModel, AnomalyRecord, type PrincipalComponents } from './record.js';
export { type AnomalyRunInput, type AnomalyRunResult, anomalyRun, scoreRun } from './run.js';
export { loadAnomaly, loadAnomalyRecord, saveAnomaly } from './saved.js';
export { type AnomalyScores, scoreFrames } from './score.js';
export { type CarriedAnomaly, type SomeScores, scoreSome } from './some.js';
export { endingWindows, windowBatch } from './windows.js';
