/** Shards: the plan, slots filled exactly once, the manifest, and the store that all later steps read. */
export { type CompactionPlan, planCompaction } from './compact.js';
export { type Conversion, conversionOf } from './conversion.js';
export { readDescription } from './description.js';
export { type Finished, finalise, openSlots, readFinished } from './finalise.js';
export { keptFrames } from './kept.js';
export { type Dataset, type OpenOptions, openCommits, openDataset } from './open.js';
export {
  appendRevision,
  createDataset,
  type PlanOptions,
  type PlanOutcome,
  readPlan,
  readRevision,
} from './plan.js';
export {
  ALL_VALID,
  type FramePlace,
  keptBytes,
  MASKED,
  NOTHING,
  type ShardReader,
  type StoredRows,
  shardReader,
} from './reader.js';
export { openSealedArrow, sealArrow } from './seal.js';
export {
  type DecodedFrame,
  type DecodeFrame,
  decodeJudged,
  type JudgedFrame,
  type KeptFrame,
  readCommit,
  type SlotOptions,
  writeSlot,
} from './slot.js';
export { type SomeFrame, someFrames } from './some.js';
export { datasetAddress, isMissing, queueFolder, type Storage, storageAt } from './storage/index.js';
export {
  type FrameBuffers,
  type FrameIndex,
  type FrameOrigin,
  type FrameRun,
  type FrameStore,
  type FrameTimes,
  memoryStore,
} from './store.js';
export { type Death, noteDeath, readSuspects, refuseSuspect, suspectKey } from './suspects.js';
export { type Fault, setAsideFaults, type Verified, verifyDataset } from './verify.js';
