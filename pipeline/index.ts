/**
 * The pipeline as functions over plain data, in the order in which a run uses them. All but `nn`, `tensor` and
 * `metrics`, which are vocabularies of their own, is here under its own name. docs/library.md is a whole run.
 */

// How unusual each frame is
export * as anomaly from './anomaly/index.js';
// Input channels, fitted on training frames
export { type ChannelStatistics, channelNames, computeChannels, fitChannels } from './channels/index.js';
// Errors, progress, randomness
export * from './errors.js';
// A probability for every frame, storms, and how far both can be trusted
export {
  applyCalibration,
  type EventInput,
  evaluateScores,
  eventsOf,
  fitCalibration,
  type Labelled,
  type LabelledSource,
  type LabelRunInput,
  type LabelRunResult,
  type LabelSourceOptions,
  labelFrames,
  labelRun,
  labelSource,
  ladder,
  metrics,
  postProcess,
  predictionRows,
  priorCalibration,
  readPredictions,
  resamplingUnits,
  writeAttention,
  writeEvents,
  writePredictions,
} from './labelling/index.js';
// Labels joined to frames by time
export {
  folderLabels,
  joinLabels,
  type LabelRow,
  type LabelTable,
  loadLabels,
  readLabels,
  saveLabels,
} from './labels/index.js';
export { buildModel, type Model, type ModelShape } from './models/index.js';
export * as nn from './nn/index.js';
export type { OnProgress, Progress } from './progress.js';
export { Random } from './random.js';
// Maps -> frames on one grid
export {
  DEFAULT_LIMITS,
  type DecodedFrame,
  type DecodeLimits,
  type Described,
  decodeFrame,
  describeDataset,
  encodeGeoTiff,
  type GeoTiffImage,
  type Scan,
  scanSources,
} from './raster/index.js';
// The page made from a run's records
export { buildPage, loadReport, type ReportData, type WrittenReport, writeReport } from './reports/index.js';
// Splits, windows, order, and the ring that reads each frame once
export {
  advance,
  blockOrder,
  type Cursor,
  EMBARGO,
  eventSampler,
  type FrameLoan,
  type FrameRing,
  frameRing,
  makeSplit,
  NONE,
  type Order,
  partMask,
  type Sampler,
  type Segment,
  type Split,
  segments,
  shuffleQuality,
  TEST,
  type Timeline,
  TRAIN,
  timeline,
  VALIDATION,
  type WindowBatch,
  type WindowBatchOptions,
  type Windows,
  windowAt,
  windowBatches,
  windowCount,
  windows,
} from './sequences/index.js';
// Frames on disk
export {
  createDataset,
  type Dataset,
  type FrameBuffers,
  type FrameIndex,
  type FrameStore,
  finalise,
  memoryStore,
  openDataset,
  openSlots,
  readDescription,
  readFinished,
  setAsideFaults,
  verifyDataset,
  writeSlot,
} from './shards/index.js';
// A season whose truth is known
export { type SeasonFiles, SimulationConfig, season, writeSeason } from './simulation/index.js';
export * as tensor from './tensor/index.js';
// Tensors and layers, for models of one's own
export { type BackendInfo, describeBackend, openBackend } from './tensor/index.js';
// Training
export {
  assertFits,
  type FitInput,
  fitModel,
  loadTrained,
  sanity,
  saveTrained,
  scoreFrames,
  type TrainedModel,
} from './training/index.js';
