/** Puts the open groups of a dataset on the queue as one flow, over whatever earlier calls left there. */
import type { FlowJob, Queue } from 'bullmq';
import {
  type Connection,
  contentId,
  INGEST_QUEUE,
  JOB_OPTIONS,
  payload,
  removeFinished,
} from './queues/index.js';
import type { WatchedJob } from './watch.js';

export interface OpenGroups {
  dataset: string;
  revision: number;
  onBadFrame: 'stop' | 'skip';
  /** Groups with an open slot. */
  jobs: readonly (WatchedJob & { group: number; key: string })[];
}

/** One flow: finalise waits for all groups. Returns the id of the finalise job. Adding it twice is harmless. */
export async function enqueue(connection: Connection, groups: OpenGroups): Promise<string> {
  const { dataset, revision, onBadFrame, jobs } = groups;
  const parent = contentId('finalise', dataset, revision, onBadFrame);
  const queue = connection.queue(INGEST_QUEUE);
  // The owner of a folder is alone: what an earlier process left there, locks included, is of no use to anyone.
  if (connection.kind === 'pglite') await queue.obliterate({ force: true });
  else {
    await withdrawFlows(queue, dataset, parent);
    await removeFinished(queue, [parent, ...jobs.map(({ id }) => id)]);
  }
  await connection.flow().add({
    name: 'finalise',
    queueName: INGEST_QUEUE,
    data: payload('finalise', { dataset }),
    opts: { ...JOB_OPTIONS, jobId: parent },
    children: jobs.map(({ id, group, key }) => ({
      name: 'slots',
      queueName: INGEST_QUEUE,
      data: payload('slots', { dataset, revision, group, key, onBadFrame }),
      opts: { ...JOB_OPTIONS, jobId: id },
    })) satisfies FlowJob[],
  });
  return parent;
}

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
