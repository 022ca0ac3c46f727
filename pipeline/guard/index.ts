/** Threads for libraries that trust their files: bounded in processor time and memory, ended when they go wrong. */
export { refuseFailedReads } from './hdf5.js';
export { capWasmMemory, serveCalls, silenceStderr } from './serve.js';
export { type GuardedThread, GuardFault, guardedThread } from './thread.js';
