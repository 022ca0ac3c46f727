/** Waits for jobs: counts frames, throws what a job threw, looks after jobs that the queue lost. */
import { SlotsProgress } from '../schemas/jobs/index.js';
import { follow, type Told } from './queues/follow.js';
import { GONE_AFTER_MS, goneError } from './queues/gone.js';
import { type Connection, fromFailure } from './queues/index.js';

export interface WatchedJob {
  id: string;
  /** Frames that the job fills. */
  frames: number;
}

export interface WatchOptions {
  queue: string;
  /** In the order in which they were added. */
  jobs: readonly WatchedJob[];
  /** Told how many frames of these jobs are done. */
  onFrames(frames: number): void;
  signal?: AbortSignal;
}

/**
 * `done`: all jobs are. `lost`: the queue no longer holds one of them (a Redis that fell back to an older state, a queue
 * that was drained). Rejects with the first typed error at once (bad input under `stop`); with an Error when all others
 * have ended and some failed for other reasons; with a QueueError when the queue is gone for a minute; with the
 * signal's reason when aborted.
 */
export async function watch(connection: Connection, options: WatchOptions): Promise<'done' | 'lost'> {
  const { queue, jobs, signal } = options;
  const tally = frameTally(options);
  const waiting = new Set(jobs.map(({ id }) => id));
  const failures: string[] = [];
  return untilOver(connection, { queue, waiting, signal }, (end, fail) => ({
    completed: (id) => {
      if (!waiting.delete(id)) return;
      tally(id, null);
      if (waiting.size > 0) return;
      if (failures.length > 0) fail(failedError(failures, jobs.length));
      else end('done');
    },
    failed: (id, reason) => {
      if (!waiting.delete(id)) return;
      const typed = fromFailure(reason);
      if (typed) return fail(typed);
      failures.push(reason);
      if (waiting.size === 0) fail(failedError(failures, jobs.length));
    },
    progress: (id, value) => {
      const said = SlotsProgress.safeParse(value);
      if (said.success && waiting.has(id)) tally(id, said.data.frames);
    },
  }));
}

/** As `watch`, for one job; rejects with what the job itself threw. */
export async function watchOne(
  connection: Connection,
  { queue, id, signal }: { queue: string; id: string; signal?: AbortSignal },
): Promise<'done' | 'lost'> {
  return untilOver(connection, { queue, waiting: new Set([id]), signal }, (end, fail) => ({
    completed: (ended) => ended === id && end('done'),
    failed: (ended, reason) => ended === id && fail(fromFailure(reason) ?? new Error(reason)),
    progress: () => {},
  }));
}

type End = (outcome: 'done' | 'lost') => void;
type Ends = { [event in 'completed' | 'failed' | 'progress']: (...told: Parameters<Told[event]>) => unknown };

const CLOCK_MS = 1_000;

async function untilOver(
  connection: Connection,
  { queue, waiting, signal }: { queue: string; waiting: ReadonlySet<string>; signal?: AbortSignal },
  ends: (end: End, fail: (error: unknown) => void) => Ends,
): Promise<'done' | 'lost'> {
  signal?.throwIfAborted();
  if (waiting.size === 0) return 'done';
  let stop = () => {};
  let clock: NodeJS.Timeout | undefined;
  let silent = 0;
  let abort = () => {};
  try {
    return await new Promise<'done' | 'lost'>((end, fail) => {
      abort = () => fail(signal?.reason);
      signal?.addEventListener('abort', abort, { once: true });
      const answered = () => {
        silent = 0;
      };
      stop = follow(connection, queue, waiting, { ...ends(end, fail), answered, lost: () => end('lost') });
      // Counted in ticks, so that a machine that slept loses nothing.
      clock = setInterval(() => {
        silent += CLOCK_MS;
        if (silent >= GONE_AFTER_MS) fail(goneError(connection.where));
      }, CLOCK_MS);
    });
  } finally {
    stop();
    clearInterval(clock);
    signal?.removeEventListener('abort', abort);
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

function failedError(failures: readonly string[], jobs: number): Error {
  return new Error(
    `${failures.length} of ${jobs} jobs failed after all attempts; their slots stay open and the same command tries them again. First reason: ${failures[0]}`,
  );
}
