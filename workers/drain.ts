/**
 * Ends a worker in time: no new jobs, those in hand are finished, and what is not finished after `graceMs` goes back
 * to the queue, where another worker takes it at once. A job that is handed back has used up no attempt.
 */
import type { Job, Worker } from 'bullmq';
import { type JobNote, noteOf } from './notes.js';
import { PUT_OFF } from './queues/putOff.js';
import { within } from './queues/within.js';

/** A supervisor sends SIGKILL after 10 s (Docker) or more; with the queue away, the rest takes up to 5 s more. */
export const GRACE_MS = 5_000;
const HAND_BACK_MS = 1_500;
const CLOSE_MS = 1_000;

/** Jobs that a worker has in hand, by id. */
export function jobsInHand(worker: Worker): ReadonlyMap<string, Job> {
  const jobs = new Map<string, Job>();
  worker.on('active', (job) => void jobs.set(job.id ?? '', job));
  worker.on('completed', (job) => void jobs.delete(job.id ?? ''));
  worker.on('failed', (job) => void jobs.delete(job?.id ?? ''));
  worker.on(PUT_OFF as 'active', (job) => void jobs.delete(job.id ?? ''));
  return jobs;
}

export async function drain(
  worker: Worker,
  inHand: ReadonlyMap<string, Job>,
  { graceMs, tell }: { graceMs: number; tell: (note: JobNote) => void },
): Promise<void> {
  const closing = worker.close();
  if (await within(closing, graceMs)) return;
  await Promise.all([...inHand.values()].map((job) => handBack(job, tell)));
  killChildren(worker);
  await within(closing, CLOSE_MS);
}

/** What cannot be handed back, because the server is away, starts again elsewhere when its lock has run out. */
async function handBack(job: Job, tell: (note: JobNote) => void): Promise<void> {
  let code = -1;
  const moved = job.moveToWait(job.token).then((result) => {
    code = result;
  });
  await within(moved, HAND_BACK_MS);
  if (code >= 0) tell(noteOf(job, 'handed-back', job.attemptsMade + 1));
}

/** Every write of a child is atomic, so killing it loses nothing; BullMQ keeps its children to itself. */
function killChildren(worker: Worker): void {
  const { childPool } = worker as unknown as { childPool?: { retained: Record<string, { pid: number }> } };
  for (const { pid } of Object.values(childPool?.retained ?? {})) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it has ended by itself
    }
  }
}
