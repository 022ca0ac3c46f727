/** What a person may ask of queues: how they stand, try failed jobs again, take waiting jobs out, forget finished ones. */
import type { Queue } from 'bullmq';

export const ACTIONS = ['status', 'retry', 'drain', 'clean'] as const;
export type Action = (typeof ACTIONS)[number];

export interface QueueStatus {
  name: string;
  counts: Record<string, number>;
  /** Up to ten failed jobs with their reasons. */
  failed: { id: string; kind: string; reason: string }[];
}

/** Does `action` and says how the queue stands afterwards. */
export async function manageQueue(queue: Queue, action: Action): Promise<QueueStatus> {
  if (action === 'retry') await queue.retryJobs({ state: 'failed' });
  if (action === 'drain') await queue.drain(true);
  if (action === 'clean')
    for (const state of ['completed', 'failed'] as const) await queue.clean(0, 100_000, state);
  const counts = await queue.getJobCounts();
  const failed = await queue.getJobs(['failed'], 0, 9);
  return {
    name: queue.name,
    counts,
    failed: failed.map(({ id = '', name, failedReason = '' }) => ({ id, kind: name, reason: failedReason })),
  };
}
