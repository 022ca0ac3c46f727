/** What a person may ask of queues: how they stand, try failed jobs again, take waiting jobs out, forget finished ones. */
import type { Job, JobType, Queue } from 'bullmq';
import { fromFailure } from './failure.js';

export const ACTIONS = ['status', 'retry', 'drain', 'clean'] as const;
export type Action = (typeof ACTIONS)[number];

export interface QueueStatus {
  name: string;
  counts: Record<string, number>;
  /** Jobs by kind and state, finished ones left out; of the first 10,000 in each state. */
  kinds: Record<string, Record<string, number>>;
  /** Age of the job that waits longest for its first try; null where none waits. */
  oldestWaitingMs: number | null;
  /** Processes that take jobs now; null where the queue cannot tell. */
  workers: number | null;
  /** Up to ten failed jobs with their reasons. */
  failed: { id: string; kind: string; attempts: number; reason: string }[];
  /** Why jobs failed, the most frequent first, of up to 1,000 failed jobs. */
  reasons: { reason: string; count: number }[];
  /** How many jobs the action tried again or took out; null for `status`. */
  changed: number | null;
}

const MOST_OF_A_STATE = 10_000;
const MOST_FAILED = 1_000;
const SHOWN = 10;
const UNFINISHED: JobType[] = ['active', 'waiting', 'delayed', 'prioritized', 'waiting-children'];

/** Does `action` and says how the queue stands afterwards. */
export async function manageQueue(queue: Queue, action: Action): Promise<QueueStatus> {
  const changed = await act(queue, action);
  const failed = await queue.getJobs(['failed'], 0, MOST_FAILED - 1);
  return {
    name: queue.name,
    counts: await queue.getJobCounts(),
    kinds: await kindsOf(queue),
    oldestWaitingMs: await oldestWaiting(queue),
    workers: await queue.getWorkersCount().catch(() => null),
    failed: failed.slice(0, SHOWN).map((job) => ({
      id: job.id ?? '',
      kind: job.name,
      attempts: job.attemptsMade,
      reason: reasonOf(job),
    })),
    reasons: tally(failed.map(reasonOf)).slice(0, SHOWN),
    changed,
  };
}

async function act(queue: Queue, action: Action): Promise<number | null> {
  if (action === 'status') return null;
  if (action === 'clean') return (await forget(queue, 'completed')) + (await forget(queue, 'failed'));
  if (action === 'retry') {
    const { failed } = await queue.getJobCounts('failed');
    await queue.retryJobs({ state: 'failed' });
    return failed;
  }
  const waiting = await queue.getJobCounts('waiting', 'delayed', 'prioritized');
  await queue.drain(true);
  return Object.values(waiting).reduce((sum, count) => sum + count, 0);
}

/** In parts, so that a queue of millions does not hold up its workers. */
async function forget(queue: Queue, state: 'completed' | 'failed'): Promise<number> {
  for (let sum = 0; ; ) {
    const gone = await queue.clean(0, MOST_OF_A_STATE, state);
    sum += gone.length;
    if (gone.length === 0) return sum;
  }
}

/** By the id alone, which begins with the kind: a job's own record need not be read. */
async function kindsOf(queue: Queue): Promise<QueueStatus['kinds']> {
  const kinds: QueueStatus['kinds'] = {};
  for (const state of UNFINISHED)
    for (const id of await queue.getRanges([state], 0, MOST_OF_A_STATE - 1)) {
      const [kind] = id.split('-');
      kinds[kind] ??= {};
      kinds[kind][state] = (kinds[kind][state] ?? 0) + 1;
    }
  return kinds;
}

async function oldestWaiting(queue: Queue): Promise<number | null> {
  const [job] = await queue.getJobs(['waiting'], 0, 0, true);
  return job ? Math.max(0, Date.now() - job.timestamp) : null;
}

function reasonOf({ failedReason = '' }: Job): string {
  const typed = fromFailure(failedReason);
  return typed ? `${typed.tag}: ${typed.message}` : failedReason;
}

function tally(reasons: readonly string[]): QueueStatus['reasons'] {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => ({ reason, count })).sort((a, b) => b.count - a.count);
}
