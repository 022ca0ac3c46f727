/** Fills the open slots of a dataset through the queue and finalises it. Safe to kill and to run again at any moment. */
import type { FlowJob, Queue } from 'bullmq';
import type { OnProgress } from '../pipeline/progress.js';
import {
  datasetAddress,
  type Finished,
  finalise,
  openSlots,
  queueFolder,
  readDescription,
  readFinished,
  readPlan,
} from '../pipeline/shards/index.js';
import { groupKey, groupSlots } from './groups.js';
import {
  type Connection,
  contentId,
  defaultWorkers,
  INGEST_QUEUE,
  JOB_OPTIONS,
  openConnection,
  payload,
  processorFile,
  removeFinished,
  WORKER_OPTIONS,
} from './queues/index.js';
import { serveQueue } from './queues/serve.js';
import { within } from './queues/within.js';
import { type WatchedJob, watch } from './watch.js';

export interface FillOptions {
  onBadFrame: 'stop' | 'skip';
  /** Redis URL; default: a queue inside this process, in `<dataset>/queue`. */
  queue?: string;
  /** Decoding processes; default: one a core. 0: leave the work to others on the same Redis. */
  workers?: number;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

interface Work {
  revision: number;
  /** Groups with an open slot. */
  jobs: (WatchedJob & { group: number; key: string })[];
  /** Frames of all slots that are committed in groups that are done. */
  done: number;
  total: number;
}

/** QueueError; the typed error of a bad map under `stop`; Error when passing faults did not pass. */
export async function fillDataset(folder: string, options: FillOptions): Promise<Finished> {
  const dir = datasetAddress(folder);
  const work = await openWork(dir, options.onBadFrame);
  if (work.jobs.length === 0) return finalise(dir);
  const { queue, workers = defaultWorkers(), onProgress, signal } = options;
  const connection = await openConnection(queue ? { url: queue } : { folder: queueFolder(dir) });
  try {
    const parent = await enqueue(connection, dir, work, options.onBadFrame);
    const serving = await serveQueue(connection, [INGEST_QUEUE]);
    const worker =
      workers > 0
        ? connection.worker(INGEST_QUEUE, processorFile(), { ...WORKER_OPTIONS, concurrency: workers })
        : null;
    try {
      await watch(connection, {
        queue: INGEST_QUEUE,
        jobs: work.jobs,
        parent,
        signal,
        onFrames: (frames) =>
          onProgress?.({ stage: 'ingest', done: work.done + frames, total: work.total, unit: 'frames' }),
      });
    } catch (error) {
      worker?.cancelAllJobs();
      await within(withdraw(connection.queue(INGEST_QUEUE), parent));
      if (worker) await within(worker.close(true));
      throw error;
    } finally {
      serving();
    }
    return await readFinished(dir);
  } finally {
    await connection.close();
  }
}

async function openWork(dir: string, onBadFrame: string): Promise<Work> {
  const description = await readDescription(dir);
  const { revision, slots } = await readPlan(dir);
  const open = new Set((await openSlots(dir)).map(({ slot }) => slot));
  const jobs: Work['jobs'] = [];
  let done = 0;
  let total = 0;
  for (const [group, members] of groupSlots(slots, description).entries()) {
    const frames = members.reduce((n, slot) => n + slot.frames.length, 0);
    total += frames;
    const key = groupKey(members);
    if (members.some(({ slot }) => open.has(slot)))
      jobs.push({ id: contentId('slots', dir, key, onBadFrame), frames, group, key });
    else done += frames;
  }
  return { revision, jobs, done, total };
}

/** One flow: finalise waits for all groups. Returns the id of the finalise job. */
async function enqueue(
  connection: Connection,
  dataset: string,
  { revision, jobs }: Work,
  onBadFrame: 'stop' | 'skip',
): Promise<string> {
  const parent = contentId('finalise', dataset, revision, onBadFrame);
  const queue = connection.queue(INGEST_QUEUE);
  // The owner of a folder is alone: what an earlier process left there, locks included, is of no use to anyone.
  if (connection.kind === 'pglite') await queue.obliterate({ force: true });
  else await removeFinished(queue, [parent, ...jobs.map(({ id }) => id)]);
  const children: FlowJob[] = jobs.map(({ id, group, key }) => ({
    name: 'slots',
    queueName: INGEST_QUEUE,
    data: payload('slots', { dataset, revision, group, key, onBadFrame }),
    opts: { ...JOB_OPTIONS, jobId: id },
  }));
  await connection.flow().add({
    name: 'finalise',
    queueName: INGEST_QUEUE,
    data: payload('finalise', { dataset }),
    opts: { ...JOB_OPTIONS, jobId: parent },
    children,
  });
  return parent;
}

/** Takes back what nobody has begun; jobs that run now end by themselves. */
async function withdraw(queue: Queue, parent: string): Promise<void> {
  const job = await queue.getJob(parent);
  await job?.removeUnprocessedChildren().catch(() => {});
  await job?.remove({ removeChildren: false }).catch(() => {});
}
