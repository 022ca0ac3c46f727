/** The threads that make batches beside the caller. They are told the names of shards, and tell of faults; nothing else is sent. */
import { MessageChannel, Worker } from 'node:worker_threads';
import type { BatchWork } from './batchWork.js';
import { type PlainError, revive } from './threadErrors.js';

export interface ShardName {
  number: number;
  name: string;
}
export interface BatchFault {
  slot: number;
  error: PlainError;
}

export interface Crew {
  tell(shard: ShardName): void;
  /** What a thread met in the batch at `slot`; forgotten by this call. */
  fault(slot: number): Error | undefined;
  /** Why the threads have ended, if they have. */
  ended(): Error | null;
  close(): Promise<void>;
}

export function crewOf(work: BatchWork, count: number): Crew {
  const faults = new Map<number, Error>();
  let ended: Error | null = null;
  let closing = false;
  const threads = Array.from({ length: count }, () => {
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker(entry(), {
      workerData: { work, names: port2 },
      transferList: [port2],
      execArgv: [],
    });
    // Threads keep no process up: whoever waits for a batch does. Node.js counts them anew when they have started.
    worker.unref();
    worker.once('online', () => closing || worker.unref());
    worker.on('message', ({ slot, error }: BatchFault) => {
      if (!faults.has(slot)) faults.set(slot, revive(error));
    });
    worker.on('error', (error) => {
      ended ??= error;
    });
    worker.on('exit', () => {
      ended ??= new Error('the reader thread has ended');
    });
    return { worker, names: port1 };
  });

  return {
    tell(shard) {
      for (const { names } of threads) names.postMessage(shard);
    },
    fault(slot) {
      const fault = faults.get(slot);
      faults.delete(slot);
      return fault;
    },
    ended: () => ended,
    async close() {
      closing = true;
      await Promise.all(
        threads.map(async ({ worker, names }) => {
          names.close();
          worker.ref(); // or the process might end before whoever awaits this hears of it
          await worker.terminate();
        }),
      );
    },
  };
}

/** The compiled thread, where this file runs from source too. */
function entry(): URL {
  const here = import.meta.url;
  const folder = here.endsWith('.ts') ? '../../dist/pipeline/sequences/' : './';
  return new URL(`${folder}batchThread.js`, here);
}
