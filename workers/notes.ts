/** What happens to the jobs of a worker, as plain records: what logs and metrics are made of. */
import type { Job, Worker } from 'bullmq';
import { SlotsProgress } from '../schemas/jobs/index.js';
import { fromFailure } from './queues/index.js';
import { PUT_OFF } from './queues/putOff.js';

export interface JobNote {
  /**
   * `retried`: failed and will be tried again; `failed`: for good; `handed-back`: given to other workers because this
   * one ends; `stalled`: its worker was killed or froze, and it waits again; `put-off`: it waits for other jobs.
   */
  event: 'started' | 'completed' | 'retried' | 'failed' | 'handed-back' | 'stalled' | 'put-off';
  job: string;
  kind: string;
  dataset?: string;
  /** Position of the slots' group in the plan, and the hash of its slots. */
  group?: number;
  key?: string;
  /** 1 for the first try. */
  attempt?: number;
  /** Frames that the job committed. */
  frames?: number;
  durationMs?: number;
  /** Tag and text of the error. */
  tag?: string;
  reason?: string;
  /** File of the frame that the error is about. */
  frame?: string;
}

/** Tells each event of the worker's jobs. */
export function noteJobs(worker: Worker, tell: (note: JobNote) => void): void {
  worker.on('active', (job) => tell(noteOf(job, 'started', job.attemptsMade + 1)));
  worker.on('completed', (job, result) => {
    const told = SlotsProgress.safeParse(result);
    const frames = told.success ? { frames: told.data.frames } : {};
    tell({ ...noteOf(job, 'completed', job.attemptsMade), ...frames, ...duration(job) });
  });
  worker.on('failed', (job, error) => {
    if (!job) return; // its lock was lost: another worker has it
    const note = noteOf(job, job.finishedOn ? 'failed' : 'retried', job.attemptsMade);
    tell({ ...note, ...duration(job), ...failure(error.message) });
  });
  worker.on(PUT_OFF as 'active', (job) => tell(noteOf(job, 'put-off', job.attemptsMade + 1)));
  worker.on('stalled', (id) => tell({ event: 'stalled', job: id, kind: id.split('-')[0] }));
}

export function noteOf({ id = '', name, data }: Job, event: JobNote['event'], attempt: number): JobNote {
  const { dataset, group, key } = data ?? {};
  return { event, job: id, kind: name, dataset, group, key, attempt };
}

const duration = ({ processedOn }: Job): { durationMs?: number } =>
  processedOn === undefined ? {} : { durationMs: Math.max(0, Date.now() - processedOn) };

function failure(message: string): Pick<JobNote, 'tag' | 'reason' | 'frame'> {
  const typed = fromFailure(message);
  if (!typed) return { reason: message };
  const { path } = typed.fields as { path?: unknown };
  return { tag: typed.tag, reason: typed.message, ...(typeof path === 'string' && { frame: path }) };
}
