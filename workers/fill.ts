/** Fills the open slots of a dataset through the queue and finalises it. Safe to kill and to run again at any moment. */
import { QueueError } from '../pipeline/errors.js';
import type { OnProgress } from '../pipeline/progress.js';
import {
  datasetAddress,
  type Finished,
  finalise,
  queueFolder,
  readFinished,
} from '../pipeline/shards/index.js';
import { enqueue, enqueueFinalise, forgetFinalise, withdraw } from './enqueue.js';
import { openWork, type Work } from './openGroups.js';
import { orGone } from './queues/gone.js';
import {
  type Connection,
  defaultWorkers,
  INGEST_QUEUE,
  openConnection,
  processorFile,
  WORKER_OPTIONS,
} from './queues/index.js';
import { serveQueue } from './queues/serve.js';
import { within } from './queues/within.js';
import { watch, watchOne } from './watch.js';

export interface FillOptions {
  onBadFrame: 'stop' | 'skip';
  /** Redis URL; default: a queue inside this process, in `<dataset>/queue`. */
  queue?: string;
  /** Decoding processes; default: one a core. 0: leave the work to others on the same Redis. */
  workers?: number;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

/** A queue that loses its jobs so often without a group done in between is not one to rely on. */
const MOST_LOSSES = 5;

/** QueueError; the typed error of a bad map under `stop`; Error when passing faults did not pass. */
export async function fillDataset(folder: string, options: FillOptions): Promise<Finished> {
  const dir = datasetAddress(folder);
  const work = await openWork(dir, options.onBadFrame);
  if (work.jobs.length === 0) {
    if (options.queue) await forget(work, options.queue);
    return finalise(dir);
  }
  const { queue, workers = defaultWorkers() } = options;
  const connection = await openConnection(queue ? { url: queue } : { folder: queueFolder(dir) });
  try {
    const serving = await serveQueue(connection, [INGEST_QUEUE]);
    const worker =
      workers > 0
        ? connection.worker(INGEST_QUEUE, processorFile(), { ...WORKER_OPTIONS, concurrency: workers })
        : null;
    try {
      return await fillOpen(connection, work, options);
    } catch (error) {
      worker?.cancelAllJobs();
      if (worker) await within(worker.close(true));
      throw error;
    } finally {
      serving();
    }
  } finally {
    await connection.close();
  }
}

/** Commits decide what is done: a queue that lost jobs (a server that fell back, a hand that drained it) gets them again. */
async function fillOpen(
  connection: Connection,
  first: Work,
  { onProgress, signal }: FillOptions,
): Promise<Finished> {
  const { dataset, onBadFrame } = first;
  let losses = 0;
  for (let work = first; ; ) {
    if (work.jobs.length === 0) {
      if (connection.kind === 'redis') await forgetFinalise(connection.queue(INGEST_QUEUE), work);
      return finalise(dataset);
    }
    if ((await runOnce(connection, work, { onProgress, signal })) === 'done') return readFinished(dataset);
    const left = await openWork(dataset, onBadFrame);
    losses = left.jobs.length < work.jobs.length ? 0 : losses + 1;
    if (losses > MOST_LOSSES) throw lossError(connection.where, left.jobs.length);
    work = left;
  }
}

async function runOnce(
  connection: Connection,
  work: Work,
  { onProgress, signal }: Pick<FillOptions, 'onProgress' | 'signal'>,
): Promise<'done' | 'lost'> {
  const { kind, where } = connection;
  await orGone(where, enqueue(connection, work));
  const onFrames = (frames: number) =>
    onProgress?.({ stage: 'ingest', done: work.done + frames, total: work.total, unit: 'frames' });
  try {
    const watched = { queue: INGEST_QUEUE, jobs: work.jobs, signal, onFrames };
    if ((await watch(connection, watched)) === 'lost') return 'lost';
    const id = await orGone(where, enqueueFinalise(connection, work));
    return await watchOne(connection, { queue: INGEST_QUEUE, id, signal });
  } catch (error) {
    if (kind === 'redis') await within(withdraw(connection.queue(INGEST_QUEUE), work));
    throw error;
  }
}

/** Nothing is left to do; what a planner that was killed left on a shared queue is taken back where that is possible. */
async function forget(work: Work, url: string): Promise<void> {
  const connection = await openConnection({ url }).catch(() => null);
  if (!connection) return;
  await within(forgetFinalise(connection.queue(INGEST_QUEUE), work));
  await connection.close();
}

const lossError = (where: string, jobs: number): QueueError =>
  new QueueError(`the queue at ${where} lost its jobs ${MOST_LOSSES + 1} times in a row; ${jobs} are left`, {
    hint: 'nobody else may drain or flush it; a Redis needs maxmemory-policy noeviction and appendonly yes',
    fields: { where, jobs },
  });
