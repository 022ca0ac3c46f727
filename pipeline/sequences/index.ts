/** Sequences as arithmetic: segments, windows, splits, order of reading, and the ring that reads each frame once. */

export { type WindowBatch, type WindowBatchOptions, windowBatches } from './batches.js';
export { bijection } from './bijection.js';
export { EMBARGO, NONE, TEST, TRAIN, VALIDATION } from './embargo.js';
export { footprintsMeet, type Place, placesOf } from './footprints.js';
export {
  advance,
  blockOrder,
  type Cursor,
  type Order,
  type OrderOptions,
  type ShuffleQuality,
  shuffleQuality,
  smallestBlock,
  windowAt,
} from './order.js';
export { type FrameLoan, type FrameRing, frameRing, type RingOptions } from './ring.js';
export { eventSampler, type Sampler, type SamplerOptions } from './sampler.js';
export { GAP_STEPS, partMask, type SegmentOptions, segments } from './segments.js';
export { makeSplit, type SplitFrames } from './split.js';
export { type Timeline, type TimelineOptions, timeline } from './timeline.js';
export type { Segment, Split, Windows } from './types.js';
export { type WindowOptions, windowCount, windows } from './windows.js';
