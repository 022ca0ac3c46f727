/** How jobs end and get on inside one process, as told by the workers, which are all here, at no cost to the database. */
import { EventEmitter } from 'node:events';
import type { Worker } from 'bullmq';

/** Told once a job is over (`failed`: after its last attempt), or by the job itself. */
export interface Outcomes {
  on(event: 'completed', listener: (told: { jobId: string }) => void): unknown;
  on(event: 'failed', listener: (told: { jobId: string; failedReason: string }) => void): unknown;
  on(event: 'progress', listener: (told: { jobId: string; data: unknown }) => void): unknown;
  removeAllListeners(event: 'completed' | 'failed' | 'progress'): unknown;
}

export interface LocalOutcomes extends Outcomes {
  /** Tells what `worker` tells. */
  relay(worker: Worker): void;
}

export function localOutcomes(): LocalOutcomes {
  const emitter = new EventEmitter();
  return Object.assign(emitter, {
    relay(worker: Worker) {
      worker.on('completed', ({ id: jobId }) => emitter.emit('completed', { jobId }));
      worker.on('progress', ({ id: jobId }, data) => emitter.emit('progress', { jobId, data }));
      worker.on('failed', (job, { message: failedReason }) => {
        if (job?.finishedOn) emitter.emit('failed', { jobId: job.id, failedReason }); // else it is tried again
      });
    },
  });
}
