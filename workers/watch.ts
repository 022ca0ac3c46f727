/** Waits for the jobs of a flow: counts frames, throws what a job threw, looks after events that were lost. */
import type { Queue } from 'bullmq';
import { SlotsProgress } from '../schemas/jobs/index.js';
import { GONE_AFTER_MS, goneError, orGone } from './queues/gone.js';
import { type Connection, fromFailure } from './queues/index.js';

export interface WatchedJob {
  id: string;
  /** Frames that the job fills. */
  frames: number;
}

export interface WatchOptions {
  queue: string;
  jobs: readonly WatchedJob[];
  /** The job that runs when all of them are done; none: the end of the last of them is the end. */
  parent?: string;
  /** Told how many frames of these jobs are done. */
  onFrames(frames: number): void;
  signal?: AbortSignal;
}

/** Events can be lost between a subscription and its first read; states are looked up this often. */
const LOOK_EVERY_MS = 1_000;
const LOOK_AT = 50;
/** Looks at a parent that still waits although all of its children have ended, before it counts as cut off from them. */
const LOOKS_AT_STUCK = 3;

/**
 * `done`: the parent is, or all jobs where there is none. `lost`: the queue no longer holds a job that is waited for, or the parent waits for children
 * that have all ended (a Redis that fell back to an older state, a queue that was drained). Rejects with the first typed error at once (bad input under `stop`); with an
 * Error when all others have ended and some failed for other reasons; with a QueueError when the queue is gone for a
 * minute; with the signal's reason when aborted.
 */
export async function watch(connection: Connection, options: WatchOptions): Promise<'done' | 'lost'> {
  const { parent, signal } = options;
  const outcomes = connection.outcomes(options.queue);
  const queue = connection.queue(options.queue);
  await orGone(connection.where, outcomes.waitUntilReady());
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
    return await new Promise<'done' | 'lost'>((end, fail) => {
      const completed = (id: string) => {
        if (id === parent) return end('done');
        if (waiting.delete(id)) tally(id, null);
        if (waiting.size > 0) return;
        if (failures.length > 0) fail(failedError(failures, options.jobs.length));
        else if (parent === undefined) end('done');
      };
      const failed = (id: string, reason: string) => {
        if (id !== parent && !waiting.delete(id)) return;
        const typed = fromFailure(reason);
        if (typed || id === parent) return fail(typed ?? new Error(reason));
        failures.push(reason);
        if (waiting.size === 0) fail(failedError(failures, options.jobs.length));
      };
      outcomes.on('completed', ({ jobId }) => completed(jobId));
      outcomes.on('failed', ({ jobId, failedReason }) => failed(jobId, failedReason));
      outcomes.on('progress', ({ jobId, data }) => {
        const told = SlotsProgress.safeParse(data);
        if (told.success && waiting.has(jobId)) tally(jobId, told.data.frames);
      });
      abort = () => fail(signal?.reason);
      signal?.addEventListener('abort', abort, { once: true });
      let stuck = 0;
      const look = () =>
        lookUp(queue, [...(parent ? [parent] : []), ...nextOf(waiting)], {
          completed,
          failed,
          lost: () => end('lost'),
        })
          .then((states) => {
            silent = 0;
            stuck = waiting.size === 0 && states[0] === 'waiting-children' ? stuck + 1 : 0;
            if (stuck >= LOOKS_AT_STUCK) end('lost');
          })
          .catch(() => {}) // the server is away for a moment
          .finally(() => {
            if (!over) timer = setTimeout(look, LOOK_EVERY_MS);
          });
      timer = setTimeout(look, LOOK_EVERY_MS);
      // Counted in looks, so that a machine that slept loses nothing.
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
    for (const event of ['completed', 'failed', 'progress'] as const) outcomes.removeAllListeners(event);
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
  told: { completed(id: string): void; failed(id: string, reason: string): void; lost(): void },
): Promise<string[]> {
  const states = await Promise.all(ids.map((id) => queue.getJobState(id)));
  for (const [i, id] of ids.entries())
    if (states[i] === 'completed') told.completed(id);
    else if (states[i] === 'failed')
      told.failed(id, (await queue.getJob(id))?.failedReason ?? 'no reason was kept');
    else if (states[i] === 'unknown') told.lost();
  return states;
}

function failedError(failures: readonly string[], jobs: number): Error {
  return new Error(
    `${failures.length} of ${jobs} jobs failed after all attempts; their slots stay open and the same command tries them again. First reason: ${failures[0]}`,
  );
}
