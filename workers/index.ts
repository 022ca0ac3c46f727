/** The queue's side of the work: ingest, flows of commands, workers, and what a person may ask of a queue. */
export { type BoardOptions, openBoard } from './board.js';
export { type Compacted, type CompactOptions, compact } from './compact.js';
export { type FlowOptions, type FlowStep, runFlow } from './flow.js';
export { type Ingested, type IngestOptions, ingest } from './ingest.js';
export { jsonLog, textLog, type WorkLog } from './logs.js';
export { findQueue, manage } from './manage.js';
export type { JobNote } from './notes.js';
export { WORK_KINDS, type WorkKind } from './queues/kinds.js';
export type { Action, QueueStatus } from './queues/status.js';
export { type Repaired, type RepairOptions, repair } from './repair.js';
export { openTraces, type Traces } from './traces.js';
export { type WorkDone, type WorkOptions, work } from './work.js';
