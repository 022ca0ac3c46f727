/** Puts the open groups of a dataset on the queue, over whatever earlier calls left there. */
import type { Queue } from 'bullmq';
import {
  type Connection,
  contentId,
  INGEST_QUEUE,
  JOB_OPTIONS,
  payload,
  removeFinished,
} from './queues/index.js';
import { distrust } from './queues/pglite.js';
import type { WatchedJob } from './watch.js';

export interface OpenGroups {
  dataset: string;
  revision: number;
  onBadFrame: 'stop' | 'skip';
  /** Groups with an open slot. */
  jobs: readonly (WatchedJob & { group: number; key: string })[];
}

/**
 * On Redis one flow, added whole or not at all: finalise waits for all groups, so that other workers end the ingest even
 * when this process dies. Inside this process nobody outlives it, so groups are plain jobs, which PostgreSQL adds several
 * times faster, and finalise follows when they are done. Gives the id of the finalise job. Twice is harmless.
 */
export async function enqueue(connection: Connection, groups: OpenGroups): Promise<string> {
  const { dataset, jobs } = groups;
  const id = finaliseId(groups);
  const queue = connection.queue(INGEST_QUEUE);
  if (connection.kind === 'pglite') {
    try {
      // The owner of a folder is alone: what an earlier process left there, locks included, is of no use to anyone.
      await queue.obliterate({ force: true });
      await queue.addBulk(slotJobs(groups).map((job) => ({ ...job, opts: { ...job.opts, ...KEPT } })));
    } catch (error) {
      await distrust(connection.where); // damaged in a way that shows only now
      throw error;
    }
    return id;
  }
  await withdrawFlows(queue, dataset, id);
  await removeFinished(queue, [id, ...jobs.map((job) => job.id)]);
  const children = slotJobs(groups).map((job) => ({ ...job, queueName: INGEST_QUEUE }));
  await connection.flow().add({ ...finaliseJob(groups), queueName: INGEST_QUEUE, children });
  return id;
}

/** Finished jobs stay until the next ingest empties the queue: PostgreSQL takes as long to count them as to do one. */
const KEPT = { removeOnComplete: false };

/** The last job of a queue inside this process. */
export async function enqueueFinalise(connection: Connection, groups: OpenGroups): Promise<void> {
  const { name, data, opts } = finaliseJob(groups);
  await connection.queue(INGEST_QUEUE).add(name, data, opts);
}

const finaliseId = ({ dataset, revision, onBadFrame }: OpenGroups): string =>
  contentId('finalise', dataset, revision, onBadFrame);

const finaliseJob = (groups: OpenGroups) => ({
  name: 'finalise',
  data: payload('finalise', { dataset: groups.dataset }),
  opts: { ...JOB_OPTIONS, jobId: finaliseId(groups) },
});

const slotJobs = ({ dataset, revision, onBadFrame, jobs }: OpenGroups) =>
  jobs.map(({ id, group, key }) => ({
    name: 'slots',
    data: payload('slots', { dataset, revision, group, key, onBadFrame }),
    opts: { ...JOB_OPTIONS, jobId: id },
  }));

/**
 * Takes back the flows of a dataset that nobody waits for: of a planner that was killed, or of an older plan. BullMQ
 * refuses to give a job to a second parent while the first one stands, so an old flow would hold up the new one.
 */
export async function withdrawFlows(queue: Queue, dataset: string, except?: string): Promise<void> {
  for (const job of await queue.getJobs(['waiting-children']))
    if (job?.id && job.id !== except && job.data.dataset === dataset) await withdraw(queue, job.id);
}

/** Takes back what nobody has begun; jobs that run now end by themselves. */
export async function withdraw(queue: Queue, parent: string): Promise<void> {
  const job = await queue.getJob(parent);
  await job?.removeUnprocessedChildren().catch(() => {});
  await job?.remove({ removeChildren: false }).catch(() => {});
}
