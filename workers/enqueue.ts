/** Puts the open groups of a dataset on the queue, over whatever earlier calls left there. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { OpenGroups } from './openGroups.js';
import { endingsOf } from './queues/endings.js';
import {
  type Connection,
  contentId,
  INGEST_QUEUE,
  JOB_OPTIONS,
  payload,
  removeFinished,
} from './queues/index.js';
import { distrust } from './queues/pglite.js';
import { hasten } from './queues/putOff.js';

/** Jobs that are made and sent together; workers begin with the first while the next are made. */
const AT_ONCE = 500;

/**
 * On Redis the finalise job comes last: whoever takes it while slots are open puts it off, so that workers end the ingest
 * even when this process dies. Inside this process nobody outlives it, and finalise follows when the groups are done.
 * Twice is harmless.
 */
export async function enqueue(connection: Connection, groups: OpenGroups): Promise<void> {
  const queue = connection.queue(INGEST_QUEUE);
  if (connection.kind === 'pglite') {
    try {
      // The owner of a folder is alone: what an earlier process left there, locks included, is of no use to anyone.
      await queue.obliterate({ force: true });
      await queue.addBulk(
        groups.jobs
          .map((job) => slotsJob(groups, job))
          .map((job) => ({ ...job, opts: { ...job.opts, ...KEPT } })),
      );
    } catch (error) {
      await distrust(connection.where); // damaged in a way that shows only now
      throw error;
    }
    return;
  }
  await withdrawFinalise(queue, groups.dataset, finaliseId(groups));
  for (let i = 0; i < groups.jobs.length; i += AT_ONCE) {
    const jobs = groups.jobs.slice(i, i + AT_ONCE).map((job) => slotsJob(groups, job));
    await addAnew(queue, i + AT_ONCE < groups.jobs.length ? jobs : [...jobs, patientFinalise(groups)]);
  }
}

/** Finished jobs stay until the next ingest empties the queue: PostgreSQL takes as long to count them as to do one. */
const KEPT = { removeOnComplete: false };

/** The last job, once all groups are done: at once where it was put off, anew where it failed before that. Gives its id. */
export async function enqueueFinalise(connection: Connection, groups: OpenGroups): Promise<string> {
  const queue = connection.queue(INGEST_QUEUE);
  const id = finaliseId(groups);
  if (connection.kind === 'pglite') {
    await queue.add('finalise', payload('finalise', { dataset: groups.dataset }), finaliseOptions(groups));
    return id;
  }
  const state = await queue.getJobState(id);
  if (state === 'failed') await removeFinished(queue, [id]);
  if (state === 'delayed') await hasten(queue, id);
  else if (state === 'failed' || state === 'unknown') await addAnew(queue, [patientFinalise(groups)]);
  return id;
}

const finaliseId = ({ dataset, revision, onBadFrame }: OpenGroups): string =>
  contentId('finalise', dataset, revision, onBadFrame);

const finaliseOptions = (groups: OpenGroups) => ({ ...JOB_OPTIONS, jobId: finaliseId(groups) });

/** Waits in the queue while slots are open whose jobs are there too. */
const patientFinalise = (groups: OpenGroups) => ({
  name: 'finalise',
  data: payload('finalise', { dataset: groups.dataset, onBadFrame: groups.onBadFrame }),
  opts: finaliseOptions(groups),
});

const slotsJob = (
  { dataset, revision, onBadFrame }: OpenGroups,
  { id, group, key }: OpenGroups['jobs'][number],
) => ({
  name: 'slots',
  data: payload('slots', { dataset, revision, group, key, onBadFrame }),
  opts: { ...JOB_OPTIONS, jobId: id },
});

type NewJob = ReturnType<typeof slotsJob> | ReturnType<typeof patientFinalise>;

/** A Redis that restarts while jobs are sent has some of them and none of BullMQ's scripts; a few seconds bring it back. */
const AGAIN_AFTER_MS = [200, 1_000, 3_000];

/** Finished jobs of the same ids make place; those that wait or run stay as they are. */
async function addAnew(queue: Queue, jobs: readonly NewJob[]): Promise<void> {
  await removeFinished(
    queue,
    jobs.map(({ opts }) => opts.jobId),
  );
  for (const wait of [...AGAIN_AFTER_MS, null])
    try {
      await queue.addBulk([...jobs]);
      return;
    } catch (error) {
      if (wait === null) throw error;
      await sleep(wait);
    }
}

/** Takes back the finalise jobs that a killed planner or an older plan of the dataset left, as far as they were put off. */
export async function withdrawFinalise(queue: Queue, dataset: string, except?: string): Promise<void> {
  const ids = await queue.getRanges(['delayed'], 0, -1);
  for (const id of ids.filter((each) => each.startsWith('finalise-') && each !== except)) {
    const job = await queue.getJob(id);
    if (job?.data.dataset === dataset) await queue.remove(id, { removeChildren: false });
  }
}

/** Nothing is left to do: the finalise job of these groups that was put off, or failed, is not wanted any more. */
export async function forgetFinalise(queue: Queue, groups: OpenGroups): Promise<void> {
  await withdrawFinalise(queue, groups.dataset);
  await removeFinished(queue, [finaliseId(groups)]);
}

/** Takes back what nobody has begun; jobs that run now end by themselves. */
export async function withdraw(queue: Queue, groups: OpenGroups): Promise<void> {
  const ids = [finaliseId(groups), ...groups.jobs.map(({ id }) => id)];
  for (let i = 0; i < ids.length; i += AT_ONCE) {
    const part = ids.slice(i, i + AT_ONCE);
    const endings = await endingsOf(queue, part);
    const open = part.filter((_, at) => endings[at] === 'open');
    await Promise.all(open.map((id) => queue.remove(id, { removeChildren: false }).catch(() => {})));
  }
}
