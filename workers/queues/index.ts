/** Queues: where they are, what goes through them, who owns them. */
export { describeAddress, parseRedisUrl, TLS_FILES } from './address.js';
export { type Connection, openConnection, type Place, socketPath } from './connection.js';
export { fromFailure, toFailure, typedError } from './failure.js';
export {
  contentId,
  defaultWorkers,
  INGEST_QUEUE,
  JOB_OPTIONS,
  payload,
  processorFile,
  removeFinished,
  stepsQueue,
  WORKER_OPTIONS,
} from './jobs.js';
export { currentOwner, type Owner, ownedError } from './owner.js';
