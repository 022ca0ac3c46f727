/** Figures of a worker in the form that Prometheus reads; `docs/deploy.md` says which of them to watch. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { JobNote } from './notes.js';
import type { Connection } from './queues/index.js';
import { within } from './queues/within.js';

export interface WorkerMetrics {
  observe(note: JobNote): void;
  /** The exposition text; answers within seconds also while the queue is away. */
  text(): Promise<string>;
  /** Why the queue cannot be used now; null when it can. */
  unreachable(): Promise<string | null>;
  close(): void;
}

/** Seconds: a slot of small maps takes tens of milliseconds, one of large maps a minute. */
const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
/** A scraper gives up after 10 s by default. */
const ANSWER_WITHIN_MS = 2_000;

export function workerMetrics(connection: Connection, queues: readonly string[]): WorkerMetrics {
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register });
  const jobs = new Counter({
    name: 'stormreel_jobs_total',
    help: 'Events of jobs of this worker',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  const active = new Gauge({
    name: 'stormreel_jobs_active',
    help: 'Jobs in hand',
    labelNames: ['kind'],
    registers,
  });
  const frames = new Counter({
    name: 'stormreel_frames_total',
    help: 'Frames committed by this worker',
    registers,
  });
  const durations = new Histogram({
    name: 'stormreel_job_duration_seconds',
    help: 'Time from taking a job up to its end',
    labelNames: ['kind', 'outcome'],
    buckets: BUCKETS,
    registers,
  });
  const up = new Gauge({
    name: 'stormreel_queue_up',
    help: '1 when the queue answers',
    registers,
  });
  const depth = new Gauge({
    name: 'stormreel_queue_jobs',
    help: 'Jobs of the whole queue by state',
    labelNames: ['queue', 'state'],
    registers,
  });
  const countJobs = async (): Promise<void> => {
    for (const name of queues)
      for (const [state, count] of Object.entries(await connection.queue(name).getJobCounts()))
        depth.set({ queue: name, state }, count);
  };
  const unreachable = async () => {
    let answered = false;
    const asked = countJobs().then(() => {
      answered = true;
    });
    await within(asked, ANSWER_WITHIN_MS);
    return answered ? null : `the queue at ${connection.where} does not answer`;
  };
  return {
    observe: ({ event, kind, frames: count, durationMs }) => {
      if (event === 'started') return active.inc({ kind });
      jobs.inc({ kind, outcome: event });
      if (event !== 'stalled') active.dec({ kind });
      if (count) frames.inc(count);
      if (durationMs !== undefined) durations.observe({ kind, outcome: event }, durationMs / 1_000);
    },
    unreachable,
    text: async () => {
      const away = await unreachable();
      if (away) depth.reset();
      up.set(away ? 0 : 1);
      return register.metrics();
    },
    close: () => register.clear(),
  };
}
