/** Metrics of scores and of 0/1 predictions; an undefined one is null with its reason. */
export { type ContingencyMetrics, contingencyMetrics, countsOf } from './contingency.js';
export { type Match, matchEvents, type Span } from './matching.js';
export {
  brier,
  brierSkill,
  calibrationError,
  equalMassEdges,
  equalWidthEdges,
  logLoss,
  reliability,
} from './probability.js';
export { auroc, averagePrecision, curves, rank, rankMetrics } from './ranking.js';
