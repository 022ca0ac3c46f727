/**
 * stormreel as a library: the pipeline, ingest through the queue, and the schemas of what a person writes and of what
 * is stored.
 *
 *   import { fitModel, ingest, labelFrames, openDataset } from 'stormreel';
 */
export * from './pipeline/index.js';
export * from './schemas/config/index.js';
export * from './schemas/records/index.js';
export { type Ingested, type IngestOptions, ingest } from './workers/index.js';
export { type WatchMapsOptions, type WatchSummary, watchMaps } from './workers/live/index.js';
