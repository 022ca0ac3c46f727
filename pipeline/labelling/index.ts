/** Labelling: probabilities for every frame, storms from them, and how far both can be trusted. */

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
export { type ContingencyMetrics, contingencyMetrics, countsOf } from './metrics/contingency.js';
export { type Match, matchEvents, type Span } from './metrics/matching.js';
export {
  brier,
  brierSkill,
  calibrationError,
  equalMassEdges,
  equalWidthEdges,
  logLoss,
  reliability,
} from './metrics/probability.js';
export { auroc, averagePrecision, curves, rank, rankMetrics } from './metrics/ranking.js';
export { type FramePredictions, predictFrames, type StreamOptions } from './stream.js';
