/**
 * A job that cannot begin before others have ended: it waits in the queue, looks again now and then on any worker, and uses
 * up no attempt. It fails once the queue holds none of the others any more.
 */
import { DelayedError, type Job, type Processor, type Queue, type Worker } from 'bullmq';
import { endingsOf, type OnRedis } from './endings.js';

/** From the first look to the second, ms; twice as long each time, up to the longest. */
const [FIRST_MS, LONGEST_MS] = [1_000, 30_000];

/** What a worker emits when a job was put off. */
export const PUT_OFF = 'put-off';

/** `error` is what the job fails with when the queue holds none of `jobs`. */
export const waitingFor = <E extends Error>(error: E, jobs: readonly string[]): E =>
  Object.assign(error, { waitingFor: jobs });

/** The jobs that `error` waits for; null for any other error. */
export const waitedFor = (error: unknown): readonly string[] | null =>
  (error as { waitingFor?: readonly string[] })?.waitingFor ?? null;

/** `process` as a processor that puts off the jobs which wait for others. */
export function patient(worker: Worker, process: Processor): Processor {
  return async (job, token, signal) => {
    for (let last = false; ; last = true)
      try {
        return await process(job, token, signal);
      } catch (error) {
        const jobs = waitedFor(error);
        if (!jobs) throw error;
        if (await anyOpen(worker as unknown as OnRedis, jobs)) throw await putOff(worker, job, token);
        if (last) throw error; // what ended between the first look and the question was there for the second look
      }
  };
}

const anyOpen = async (queue: OnRedis, jobs: readonly string[]): Promise<boolean> =>
  (await endingsOf(queue, jobs)).includes('open');

async function putOff(worker: Worker, job: Job, token: string | undefined): Promise<Error> {
  const delay = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, job.attemptsStarted - 1));
  await job.moveToDelayed(Date.now() + delay, token);
  worker.emit(PUT_OFF as 'active', job, 'active'); // an event of ours, besides BullMQ's
  return new DelayedError();
}

/** A job that was put off looks again now. One that has failed before keeps its time of rest. */
export async function hasten(queue: Queue, id: string): Promise<void> {
  const job = await queue.getJob(id);
  if (job?.attemptsMade === 0) await job.promote().catch(() => {}); // taken meanwhile
}
