/** What a child process of a worker runs: one entry for all kinds of jobs, so that idle children serve any of them. */
import './guard.js';
import type { SandboxedJob } from 'bullmq';
import { JOBS, type JobKind } from '../../schemas/jobs/index.js';
import { toFailure } from '../queues/failure.js';

export interface JobContext {
  /** 1 for the first try. */
  attempt: number;
  progress(value: object): Promise<void>;
  signal?: AbortSignal;
}

type Processor = (data: never, context: JobContext) => Promise<unknown>;

/** Loaded when first needed: a step needs no decoder. */
const PROCESSORS: Record<JobKind, () => Promise<Processor>> = {
  slots: async () => (await import('./slots.js')).fillSlots,
  revision: async () => (await import('./revision.js')).fillRevision,
  finalise: async () => (await import('./finalise.js')).finaliseDataset,
  step: async () => (await import('./step.js')).runStep,
};

export default async function work(job: SandboxedJob, _token?: string, signal?: AbortSignal) {
  try {
    const kind = job.name as JobKind;
    const processor = await PROCESSORS[kind]();
    return await processor(JOBS[kind].parse(job.data) as never, {
      attempt: (job.attemptsMade ?? 0) + 1,
      progress: (value) => job.updateProgress(value),
      signal,
    });
  } catch (error) {
    throw toFailure(error);
  }
}
