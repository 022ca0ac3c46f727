/**
 * Who fills the rows of a ring: reader threads, into memory that they share with the caller. The caller says which frame
 * goes to which row, so the number of threads changes nothing but the time; what is queued is bounded by the ring.
 */
import { Worker } from 'node:worker_threads';
import type { DatasetDescription } from '../../schemas/records/index.js';
import type { FrameBuffers, FrameOrigin, FramePlace } from '../shards/index.js';
import type { RowReader } from './rowReader.js';
import { type PlainError, revive } from './threadErrors.js';

/** What a thread is started with. */
export interface ThreadData {
  address: string;
  description: DatasetDescription;
  /** The ring, on shared memory. */
  rows: FrameBuffers;
}

/** Frames to read: `rows[k]` is the place in the ring of `places[k]`. */
export interface Work {
  places: FramePlace[];
  rows: number[];
}
export type Task = Work & { number: number };

/** A thread's answer. */
export interface Done {
  number: number;
  error?: PlainError;
}

/** Fewest frames worth a second thread. */
const SHARE = 4;

export function readInThreads(
  description: DatasetDescription,
  origin: FrameOrigin,
  rows: FrameBuffers,
  count: number,
): RowReader {
  const data: ThreadData = { address: origin.address, description, rows };
  const threads = Array.from({ length: count }, () => readerThread(data));

  /** Deals the frames out to the idlest threads, at least SHARE each, and waits for all of them. */
  async function read(frames: readonly number[], to: readonly number[]): Promise<void> {
    const parts = Math.max(1, Math.min(count, Math.floor(frames.length / SHARE)));
    const size = Math.ceil(frames.length / parts);
    const pending: Promise<void>[] = [];
    for (let from = 0; from < frames.length; from += size) {
      const idlest = threads.reduce((a, b) => (b.load < a.load ? b : a));
      const places = frames.slice(from, from + size).map(origin.place);
      pending.push(idlest.ask({ places, rows: to.slice(from, from + size) }));
    }
    const results = await Promise.allSettled(pending);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  return {
    read,
    async close() {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

interface Waiting {
  done(): void;
  fail(error: unknown): void;
  load: number;
}

function readerThread(data: ThreadData) {
  const worker = new Worker(entry(), { workerData: data, execArgv: [] });
  const waiting = new Map<number, Waiting>();
  let [next, load] = [0, 0];
  let ended: Error | null = null;
  let closing = false;

  /** A waiting read keeps the process up, an idle thread does not. */
  function settle(number: number, end: (waiter: Waiting) => void): void {
    const waiter = waiting.get(number);
    if (!waiter) return;
    waiting.delete(number);
    load -= waiter.load;
    // While it is being closed the process stays up, or whoever awaits close() would never hear of it.
    if (waiting.size === 0 && !closing) worker.unref();
    end(waiter);
  }
  function endAll(error: Error): void {
    ended ??= error;
    for (const number of [...waiting.keys()]) settle(number, ({ fail }) => fail(ended));
  }

  worker.unref();
  worker.on('message', ({ number, error }: Done) =>
    settle(number, ({ done, fail }) => (error ? fail(revive(error)) : done())),
  );
  worker.on('error', endAll);
  worker.on('exit', () => endAll(new Error('the reader thread has ended')));
  return {
    get load() {
      return load;
    },
    ask(work: Work): Promise<void> {
      if (ended) return Promise.reject(ended);
      const task: Task = { number: next++, ...work };
      return new Promise((done, fail) => {
        waiting.set(task.number, { done, fail, load: work.rows.length });
        load += work.rows.length;
        worker.ref();
        worker.postMessage(task);
      });
    },
    async close(): Promise<void> {
      closing = true;
      await worker.terminate();
    },
  };
}

/** The compiled thread, where this file runs from source too. */
function entry(): URL {
  const here = import.meta.url;
  const folder = here.endsWith('.ts') ? '../../dist/pipeline/sequences/' : './';
  return new URL(`${folder}readerThread.js`, here);
}
