/** A worker of its own: takes the jobs of ingests that run elsewhere, over one Redis. */
import type { Telemetry } from 'bullmq';
import { drain, GRACE_MS, jobsInHand } from './drain.js';
import { type Health, serveHealth } from './health.js';
import { workerMetrics } from './metrics.js';
import { type JobNote, noteJobs } from './notes.js';
import {
  type Connection,
  defaultWorkers,
  openConnection,
  processorFile,
  WORKER_OPTIONS,
} from './queues/index.js';
import { queuesOf, type WorkKind } from './queues/kinds.js';
import { within } from './queues/within.js';

export interface WorkOptions {
  /** Redis URL. */
  queue: string;
  /** Kinds of jobs to take; default: all that can be done anywhere. */
  kinds?: readonly WorkKind[];
  /** Child processes, each with one job; default: one a core. */
  concurrency?: number;
  /** After this many milliseconds of ending, jobs in hand go back to the queue. */
  graceMs?: number;
  /** Serves /healthz, /readyz and /metrics; port 0: any free one. */
  health?: { port: number; host: string };
  telemetry?: Telemetry;
  /** Told each event of a job. */
  onJob?: (note: JobNote) => void;
  /** Told what happens besides jobs: waiting, the server away and back. */
  log?: (line: string, fields?: Record<string, unknown>) => void;
  signal: AbortSignal;
  /** The file that children run; default: the processors of stormreel. */
  processor?: string;
}

export interface WorkDone {
  /** Jobs by event. */
  jobs: Partial<Record<JobNote['event'], number>>;
  frames: number;
}

/**
 * Works until the signal aborts, then ends or hands back the jobs in hand, within 10 s. The datasets' folders must be
 * mounted at the same paths. QueueError when there is no such Redis at the start; one that goes away later is waited
 * for.
 */
export async function work(options: WorkOptions): Promise<WorkDone> {
  const { queue, kinds, concurrency = defaultWorkers(), log = () => {}, signal, telemetry } = options;
  const names = queuesOf(kinds);
  const connection = await openConnection({ url: queue }, { telemetry });
  const metrics = workerMetrics(connection, names);
  const done: WorkDone = { jobs: {}, frames: 0 };
  const tell = (note: JobNote) => {
    done.jobs[note.event] = (done.jobs[note.event] ?? 0) + 1;
    done.frames += note.frames ?? 0;
    metrics.observe(note);
    options.onJob?.(note);
  };
  let health: Health | null = null;
  try {
    if (options.health)
      health = await serveHealth({
        ...options.health,
        metrics: metrics.text,
        unready: async () => (signal.aborted ? 'ending' : await metrics.unreachable()),
      });
    if (health) log(`health and metrics at ${health.address}`, { address: health.address });
    const take = { concurrency, tell, log, processor: options.processor ?? processorFile() };
    const workers = names.map((name) => takeJobs(connection, name, take));
    log(`waiting for jobs at ${connection.where}, ${concurrency} at a time`, { concurrency });
    await aborted(signal);
    log('ending: jobs in hand are finished or handed back');
    await Promise.all(workers.map((end) => end(options.graceMs ?? GRACE_MS)));
    return done;
  } finally {
    metrics.close();
    await health?.close();
    await within(connection.close(), 1_000);
  }
}

interface Take {
  concurrency: number;
  tell: (note: JobNote) => void;
  log: NonNullable<WorkOptions['log']>;
  processor: string;
}

/** Begins to take the jobs of one queue and returns what ends it. */
function takeJobs(
  connection: Connection,
  name: string,
  { concurrency, tell, log, processor }: Take,
): (graceMs: number) => Promise<void> {
  const worker = connection.worker(name, processor, { ...WORKER_OPTIONS, concurrency });
  const inHand = jobsInHand(worker);
  noteJobs(worker, tell);
  let away = false;
  worker.on('error', (error) => {
    if (!away && isConnectionError(error)) log(`the queue is away: ${error.message}`, { away: true });
    away ||= isConnectionError(error);
  });
  worker.on('ready', () => {
    if (away) log('the queue is back', { away: false });
    away = false;
  });
  return (graceMs) => drain(worker, inHand, { graceMs, tell });
}

const isConnectionError = (error: Error): boolean =>
  /ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|Connection is closed|LOADING/.test(
    `${(error as NodeJS.ErrnoException).code} ${error.message}`,
  );

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
