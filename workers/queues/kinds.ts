/** Kinds of jobs that any worker on one Redis can do, and the queue of each. */
import { INGEST_QUEUE } from './jobs.js';

/**
 * `slots`: decode maps into shards; `finalise`: compile the manifest. The steps of `stormreel run` are no such kind:
 * they are commands on the paths, models and tensor backend of one machine, and stay with the process that planned them.
 */
export const WORK_KINDS = ['slots', 'finalise'] as const;
export type WorkKind = (typeof WORK_KINDS)[number];

const QUEUES: Record<WorkKind, string> = { slots: INGEST_QUEUE, finalise: INGEST_QUEUE };

/** Names of the queues, each once. */
export const queuesOf = (kinds: readonly WorkKind[] = WORK_KINDS): string[] => [
  ...new Set(kinds.map((kind) => QUEUES[kind])),
];
