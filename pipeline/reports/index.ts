/** Reports: a run's stored records as one page that needs no network. */
export type {
  Attention,
  FramePredictions as ReportPredictions,
  FrameScores,
  Missing,
  ReportData,
  ReportSplit,
} from './data.js';
export { loadReport, type ReportWords } from './load.js';
export { buildPage, SIZE_BUDGET } from './page.js';
export { type WrittenReport, writeReport } from './write.js';
