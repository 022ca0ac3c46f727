/** Kinds of jobs that any worker on one Redis can do, and the queue of each. */
import { INGEST_QUEUE } from './jobs.js';

/**
 * `ingest`: decode maps into shards (`slots` jobs) and compile the manifest (`finalise`). The steps of `stormreel run`
 * are no such kind: they are commands on the paths, models and tensor backend of one machine.
 */
export const WORK_KINDS = ['ingest'] as const;
export type WorkKind = (typeof WORK_KINDS)[number];

const QUEUES: Record<WorkKind, string> = { ingest: INGEST_QUEUE };

/** Names of the queues, each once. */
export const queuesOf = (kinds: readonly WorkKind[] = WORK_KINDS): string[] => [
  ...new Set(kinds.map((kind) => QUEUES[kind])),
];
