/** Shards: what a dataset is on disk and how its frames are read. */
export { type FrameBuffers, type FrameIndex, type FrameStore, memoryStore } from './store.js';
