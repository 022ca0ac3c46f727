/** Names of the queues, how jobs are made, and the settings that every worker shares. */
import { createHash } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { JobsOptions, Queue, WorkerOptions } from 'bullmq';
import { JOBS, type JobKind, MAX_PAYLOAD_BYTES, type Payload } from '../../schemas/jobs/index.js';
import { endingsOf } from './endings.js';

/** Slots and finalise jobs of all datasets. */
export const INGEST_QUEUE = 'stormreel-ingest';
/** The steps of one run on this machine: nobody else can do them. */
export const stepsQueue = (folder: string): string =>
  `stormreel-steps-${contentId('', hostname(), folder).slice(-8)}`;

/** A killed child uses up an attempt, hence so many; passing faults get half a second to a minute. */
export const JOB_OPTIONS: JobsOptions = {
  attempts: 8,
  backoff: { type: 'exponential', delay: 500 },
};

/** A killed worker's job starts again within seconds; a child that is killed often does not fail its job. */
export const WORKER_OPTIONS = {
  lockDuration: 5_000,
  stalledInterval: 1_000,
  maxStalledCount: 100,
  // What Redis keeps is bounded, however many jobs go through (docs/performance.md, "Queue memory"). Said by the workers, so
  // that jobs need not carry it.
  removeOnComplete: { count: 10_000 },
  removeOnFail: { count: 1_000 },
} as const satisfies Partial<WorkerOptions>;

/** Decoding processes where nothing is said. */
export const defaultWorkers = (): number => Math.max(1, availableParallelism());

/** Checks a payload: form, and that it holds references only. */
export function payload<Kind extends JobKind>(kind: Kind, data: Payload<Kind>): Payload<Kind> {
  const checked = JOBS[kind].parse(data) as Payload<Kind>;
  const bytes = Buffer.byteLength(JSON.stringify(checked));
  if (bytes > MAX_PAYLOAD_BYTES)
    throw new RangeError(
      `a ${kind} job would carry ${bytes} bytes; at most ${MAX_PAYLOAD_BYTES}, references only`,
    );
  return checked;
}

/**
 * `kind-<132 bits of the hash of parts>`: the same work has the same id, so adding it twice is harmless. BullMQ refuses
 * colons, and writes an id about ten times, so it is short.
 */
export function contentId(kind: string, ...parts: readonly unknown[]): string {
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
  return `${kind}-${hash}`;
}

/** The compiled child entry; children run JavaScript even where this file runs from source. */
export function processorFile(): string {
  const here = import.meta.url;
  const path = here.endsWith('.ts') ? '../../dist/workers/processors/child.js' : '../processors/child.js';
  return fileURLToPath(new URL(path, here));
}

/** Removes finished jobs with these ids, which BullMQ would otherwise keep instead of the new ones. */
export async function removeFinished(queue: Queue, ids: readonly string[]): Promise<void> {
  const endings = await endingsOf(queue, ids);
  const finished = ids.filter((_, i) => endings[i] === 'completed' || endings[i] === 'failed');
  await Promise.all(finished.map((id) => queue.remove(id, { removeChildren: false })));
}
