/** Waits for the jobs of a flow: counts frames, throws what a job threw, looks after events that were lost. */
import type { Queue } from 'bullmq';
import { QueueError } from '../pipeline/errors.js';
import { SlotsProgress } from '../schemas/jobs/index.js';
import { type Connection, fromFailure } from './queues/index.js';

export interface WatchedJob {
  id: string;
  /** Frames that the job fills. */
  frames: number;
}

export interface WatchOptions {
  queue: string;
  jobs: readonly WatchedJob[];
  /** The job that runs when all of them are done. */
  parent: string;
  /** Told how many frames of these jobs are done. */
  onFrames(frames: number): void;
  signal?: AbortSignal;
}

/** Events can be lost between a subscription and its first read; states are looked up this often. */
const LOOK_EVERY_MS = 1_000;
const LOOK_AT = 50;
/** A queue that answered no look for so long is gone. Counted in looks, so that a machine that slept loses nothing. */
const GONE_AFTER_MS = 60_000;

/**
 * Resolves when the parent is done. Rejects with the first typed error at once (bad input under `stop`); with an
 * Error when all others have ended and some failed for other reasons; with a QueueError when the queue is gone for a
 * minute; with the signal's reason when aborted.
 */
export async function watch(connection: Connection, options: WatchOptions): Promise<void> {
  const { parent, signal } = options;
  const events = connection.events(options.queue);
  const queue = connection.queue(options.queue);
  await events.waitUntilReady();
  signal?.throwIfAborted();
  const tally = frameTally(options);
  const waiting = new Set(options.jobs.map(({ id }) => id));
  const failures: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let clock: NodeJS.Timeout | undefined;
  let silent = 0;
  let over = false;
  let abort = () => {};
  try {
    await new Promise<void>((done, fail) => {
      const completed = (id: string) => {
        if (id === parent) return done();
        if (waiting.delete(id)) tally(id, null);
        if (waiting.size === 0 && failures.length > 0) fail(failedError(failures, options.jobs.length));
      };
      const failed = (id: string, reason: string) => {
        if (id !== parent && !waiting.delete(id)) return;
        const typed = fromFailure(reason);
        if (typed || id === parent) return fail(typed ?? new Error(reason));
        failures.push(reason);
        if (waiting.size === 0) fail(failedError(failures, options.jobs.length));
      };
      events.on('completed', ({ jobId }) => completed(jobId));
      events.on('failed', ({ jobId, failedReason }) => failed(jobId, failedReason));
      events.on('progress', ({ jobId, data }) => {
        const told = SlotsProgress.safeParse(data);
        if (told.success && waiting.has(jobId)) tally(jobId, told.data.frames);
      });
      abort = () => fail(signal?.reason);
      signal?.addEventListener('abort', abort, { once: true });
      const look = () =>
        lookUp(queue, [parent, ...nextOf(waiting)], completed, failed)
          .then(() => {
            silent = 0;
          })
          .catch(() => {}) // the server is away for a moment
          .finally(() => {
            if (!over) timer = setTimeout(look, LOOK_EVERY_MS);
          });
      timer = setTimeout(look, LOOK_EVERY_MS);
      clock = setInterval(() => {
        silent += LOOK_EVERY_MS;
        if (silent >= GONE_AFTER_MS) fail(goneError(connection.where));
      }, LOOK_EVERY_MS);
    });
  } finally {
    over = true;
    clearTimeout(timer);
    clearInterval(clock);
    signal?.removeEventListener('abort', abort);
    events.removeAllListeners('completed').removeAllListeners('failed').removeAllListeners('progress');
  }
}

function frameTally({ jobs, onFrames }: WatchOptions): (id: string, frames: number | null) => void {
  const of = new Map(jobs.map(({ id, frames }) => [id, { frames, done: 0 }]));
  let sum = 0;
  onFrames(0);
  return (id, frames) => {
    const job = of.get(id);
    if (!job) return;
    const now = frames === null ? job.frames : Math.max(job.done, Math.min(frames, job.frames));
    sum += now - job.done;
    job.done = now;
    onFrames(sum);
  };
}

/** The next few ids; each look takes others. */
function nextOf(waiting: Set<string>): string[] {
  const next = [...waiting].slice(0, LOOK_AT);
  for (const id of next) {
    waiting.delete(id);
    waiting.add(id);
  }
  return next;
}

async function lookUp(
  queue: Queue,
  ids: readonly string[],
  completed: (id: string) => void,
  failed: (id: string, reason: string) => void,
): Promise<void> {
  for (const id of ids) {
    const state = await queue.getJobState(id);
    if (state === 'completed') completed(id);
    else if (state === 'failed') failed(id, (await queue.getJob(id))?.failedReason ?? 'no reason was kept');
  }
}

const goneError = (where: string): QueueError =>
  new QueueError(`the queue at ${where} has not answered for ${GONE_AFTER_MS / 1_000} s`, {
    hint: 'start it again, then run the same command: what is committed stays, and it goes on from there',
    fields: { where },
  });

function failedError(failures: readonly string[], jobs: number): Error {
  return new Error(
    `${failures.length} of ${jobs} jobs failed after all attempts; their slots stay open and the same command tries them again. First reason: ${failures[0]}`,
  );
}
