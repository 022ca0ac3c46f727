/** The queue of a watch: opened once with its workers, and every revision's slots are filled through it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { datasetAddress, queueFolder, readCommit } from '../../pipeline/shards/index.js';
import type { Commit, DatasetDescription, Slot } from '../../schemas/records/index.js';
import { groupKey, groupSlots } from '../groups.js';
import { orGone } from '../queues/gone.js';
import {
  contentId,
  defaultWorkers,
  fromFailure,
  INGEST_QUEUE,
  JOB_OPTIONS,
  openConnection,
  payload,
  processorFile,
  removeFinished,
  WORKER_OPTIONS,
} from '../queues/index.js';
import { serveQueue } from '../queues/serve.js';
import { within } from '../queues/within.js';

export interface Filled {
  commits: Commit[];
  /** Slots that stay open, and why. */
  open: { slot: string; error: Error }[];
}

export interface Filler {
  /** Fills the slots of one revision; those that are committed already give their commits. */
  fill(revision: number, slots: readonly Slot[], description: DatasetDescription): Promise<Filled>;
  close(): Promise<void>;
}

export interface FillerOptions {
  /** Redis URL; default: a queue inside this process. */
  queue?: string;
  /** Decoding processes; 0 leaves the work to workers elsewhere. */
  workers?: number;
  signal?: AbortSignal;
}

/** Other maps wait for a job that fails; what is left open is tried again in later rounds. */
const SOON_OVER = { attempts: 4, removeOnComplete: { count: 1_000 } };
const [SOON_MS, LATER_MS] = [20, 250];

/** QueueError: no such Redis, or another process that works on this dataset. */
export async function openFiller(address: string, options: FillerOptions): Promise<Filler> {
  const { queue: url, workers = defaultWorkers(), signal } = options;
  const dataset = datasetAddress(address);
  const connection = await openConnection(url ? { url } : { folder: queueFolder(dataset) });
  const queue = connection.queue(INGEST_QUEUE);
  // The owner of a folder is alone: what an earlier process left there is of no use to anyone.
  if (connection.kind === 'pglite') await queue.obliterate({ force: true });
  const serving = await serveQueue(connection, [INGEST_QUEUE]);
  const worker =
    workers > 0
      ? connection.worker(INGEST_QUEUE, processorFile(), { ...WORKER_OPTIONS, concurrency: workers })
      : null;

  /** Looked up again and again: an event may be lost, a state is not. */
  async function ended(id: string): Promise<string | null> {
    for (let wait = SOON_MS; ; wait = Math.min(LATER_MS, wait * 1.5)) {
      const state = await orGone(connection.where, queue.getJobState(id));
      if (state === 'failed') return (await queue.getJob(id))?.failedReason ?? 'no reason was kept';
      if (state === 'completed' || state === 'unknown') return null;
      await sleep(wait, undefined, { signal });
    }
  }

  async function fillGroup(revision: number, group: number, slots: readonly Slot[]): Promise<Filled> {
    const key = groupKey(slots);
    const id = contentId('revision', dataset, revision, key);
    await orGone(connection.where, removeFinished(queue, [id]));
    const data = payload('revision', { dataset, revision, group, key });
    await queue.add('revision', data, { ...JOB_OPTIONS, ...SOON_OVER, jobId: id });
    const reason = await ended(id);
    const filled: Filled = { commits: [], open: [] };
    for (const { slot } of slots) {
      const commit = await readCommit(dataset, slot);
      if (commit) filled.commits.push(commit);
      else
        filled.open.push({
          slot,
          error: fromFailure(reason ?? '') ?? new Error(reason ?? 'the job is gone from the queue'),
        });
    }
    return filled;
  }

  return {
    fill: async (revision, slots, description) => {
      const groups = groupSlots(slots, description);
      const parts = await Promise.all(groups.map((group, i) => fillGroup(revision, i, group)));
      return { commits: parts.flatMap(({ commits }) => commits), open: parts.flatMap(({ open }) => open) };
    },
    close: async () => {
      if (signal?.aborted) worker?.cancelAllJobs();
      if (worker) await within(worker.close(signal?.aborted));
      serving();
      await connection.close();
    },
  };
}
