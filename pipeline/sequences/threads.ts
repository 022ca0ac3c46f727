/**
 * Who fills the rows of a ring: reader threads, into memory that they share with the caller. The caller says which frame
 * goes to which row, so the number of threads changes nothing but the time; what is queued is bounded by the ring.
 */
import { Worker } from 'node:worker_threads';
import type { DatasetDescription } from '../../schemas/records/index.js';
import { CorruptShardError, type ErrorFields } from '../errors.js';
import type { FrameBuffers, FrameOrigin, FramePlace } from '../shards/index.js';
import type { RowReader } from './rowReader.js';

/** What a thread is started with. */
export interface ThreadData {
  address: string;
  description: DatasetDescription;
  /** On shared memory. */
  to: FrameBuffers;
}

/** Frames to read; `rows[k]` is the place in the ring of `places[k]`. */
export interface Task {
  number: number;
  places: FramePlace[];
  rows: number[];
}

/** A thread's answer; `error` in plain data, since a class does not survive the way. */
export interface Done {
  number: number;
  error?: { tag?: string; message: string; hint?: string; fields?: ErrorFields };
}

/** Fewest frames worth a second thread. */
const SHARE = 4;

export function readInThreads(
  description: DatasetDescription,
  origin: FrameOrigin,
  to: FrameBuffers,
  count: number,
): RowReader {
  const data: ThreadData = { address: origin.address, description, to };
  const threads = Array.from({ length: count }, () => readerThread(data));
  return {
    async read(frames, rows) {
      const parts = Math.max(1, Math.min(count, Math.floor(frames.length / SHARE)));
      const size = Math.ceil(frames.length / parts);
      const reads: Promise<void>[] = [];
      for (let from = 0; from < frames.length; from += size) {
        const places = frames.slice(from, from + size).map(origin.place);
        const idlest = threads.reduce((a, b) => (b.load < a.load ? b : a));
        reads.push(idlest.read(places, rows.slice(from, from + size)));
      }
      const results = await Promise.allSettled(reads);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    },
    async close() {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

interface Waiting {
  done(): void;
  fail(error: unknown): void;
  frames: number;
}

function readerThread(data: ThreadData) {
  const worker = new Worker(entry(), { workerData: data, execArgv: [] });
  const waiting = new Map<number, Waiting>();
  let [next, load] = [0, 0];
  let ended: Error | null = null;

  /** A waiting read keeps the process up, an idle thread does not. */
  function settle(number: number, end: (waiter: Waiting) => void): void {
    const waiter = waiting.get(number);
    if (!waiter) return;
    waiting.delete(number);
    load -= waiter.frames;
    if (waiting.size === 0) worker.unref();
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
    read(places: FramePlace[], rows: number[]): Promise<void> {
      if (ended) return Promise.reject(ended);
      const task: Task = { number: next++, places, rows };
      return new Promise((done, fail) => {
        waiting.set(task.number, { done, fail, frames: places.length });
        load += places.length;
        worker.ref();
        worker.postMessage(task);
      });
    },
    async close(): Promise<void> {
      await worker.terminate();
    },
  };
}

function revive({ tag, message, hint = '', fields }: NonNullable<Done['error']>): Error {
  return tag === 'CorruptShardError' ? new CorruptShardError(message, { hint, fields }) : new Error(message);
}

/** The compiled thread, where this file runs from source too. */
function entry(): URL {
  const here = import.meta.url;
  const folder = here.endsWith('.ts') ? '../../dist/pipeline/sequences/' : './';
  return new URL(`${folder}readerThread.js`, here);
}
