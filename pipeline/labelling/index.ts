/** Labelling: probabilities for every frame, storms from them, and how far both can be trusted. */

export { applyCalibration, fitCalibration, priorCalibration, sigmoid } from './calibration/calibrate.js';
export { calibrationFolds } from './calibration/folds.js';
export { type OutOfFold, outOfFold } from './calibration/outOfFold.js';
export { fitPlatt } from './calibration/platt.js';
export { type Carry, carriedByMember, openCarry } from './carry.js';
export { evaluateScores, type ScoresInput } from './evaluate.js';
export { type EventInput, eventsOf } from './events/events.js';
export {
  causalLatch,
  dropShort,
  fillGaps,
  hysteresis,
  type PostProcess,
  postProcess,
} from './events/hysteresis.js';
export { cellCentre } from './events/place.js';
export { readAttention, type StoredAttention, writeAttention } from './files/attention.js';
export { writeWhole } from './files/csv.js';
export { readEvents, writeEvents } from './files/events.js';
export { framesOf } from './files/join.js';
export { type ReadPrediction, readPredictions, writePredictions } from './files/predictions.js';
export { type Column, formatOf, writeRows } from './files/rows.js';
export { DRAWS, type DrawOptions, eachDraw, estimate } from './intervals/draws.js';
export { pairedGain, type Ranked, rankScores } from './intervals/paired.js';
export { type Sectors, sectors } from './intervals/sectors.js';
export {
  MINIMUM_BLOCKS,
  MINIMUM_EVENTS,
  type ResamplingUnits,
  resamplingBlocks,
  resamplingUnits,
  type UnitOptions,
} from './intervals/units.js';
export { judgedFrames } from './judged.js';
export { type Labelled, labelFrames } from './labelFrames.js';
export { labelCells } from './ladder/cells.js';
export { type Components, type Moments, moments, project } from './ladder/components.js';
export { type LadderOptions, ladder, type ModelScore } from './ladder/ladder.js';
export { choleskySolve, fitLogistic, logisticScores } from './ladder/logistic.js';
export { type SimpleScore, simpleScores } from './ladder/simple.js';
export * as metrics from './metrics/index.js';
export * from './metrics/index.js';
export {
  eventFiles,
  type LabelRunInput,
  type LabelRunResult,
  labelRun,
  predictionRows,
  splitOf,
  writeMetrics,
} from './run.js';
export { type LabelledSource, type LabelSourceOptions, labelSource } from './source.js';
export { type FramePredictions, predictFrames, refuseBothWays, type StreamOptions } from './stream.js';
export type { TapAttention, TapMaps } from './tapAttention.js';
