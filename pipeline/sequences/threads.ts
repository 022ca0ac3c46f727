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
  memory: SharedFrames;
}

/** All on shared memory. */
export interface SharedFrames {
  /** The ring. */
  rows: FrameBuffers;
  /** Room for batches. */
  copies: FrameBuffers;
  /** Cells of a mask in `copies`, 0 where there are none. */
  maskCells: number;
}

/** Frames to read: `rows[k]` is the place in the ring of `places[k]`; or rows to copy to a batch. */
export type Work = { places: FramePlace[]; rows: number[] } | { copy: Int32Array; at: number };
export type Task = Work & { number: number };

/** A thread's answer; `error` in plain data, since a class does not survive the way. */
export interface Done {
  number: number;
  error?: { tag?: string; message: string; hint?: string; fields?: ErrorFields };
}

/** Fewest frames worth a second thread. */
const SHARE = 4;
/** Fewest rows worth a second thread: a copy is a tenth of a read. */
const COPIED = 64;

export function readInThreads(
  description: DatasetDescription,
  origin: FrameOrigin,
  memory: SharedFrames,
  count: number,
): RowReader {
  const data: ThreadData = { address: origin.address, description, memory };
  const threads = Array.from({ length: count }, () => readerThread(data));

  /** Deals `length` entries out to the idlest threads, at least `share` each, and waits for all of them. */
  async function deal(
    length: number,
    share: number,
    work: (from: number, to: number) => Work,
  ): Promise<void> {
    const parts = Math.max(1, Math.min(count, Math.floor(length / share)));
    const size = Math.ceil(length / parts);
    const pending: Promise<void>[] = [];
    for (let from = 0; from < length; from += size) {
      const idlest = threads.reduce((a, b) => (b.load < a.load ? b : a));
      pending.push(idlest.ask(work(from, Math.min(length, from + size))));
    }
    const results = await Promise.allSettled(pending);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  return {
    read: (frames, rows) =>
      deal(frames.length, SHARE, (from, to) => ({
        places: frames.slice(from, to).map(origin.place),
        rows: rows.slice(from, to),
      })),
    copy: (rows, at) =>
      deal(rows.length, COPIED, (from, to) => ({ copy: rows.slice(from, to), at: at + from })),
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
      const weight = 'copy' in work ? work.copy.length / COPIED : work.rows.length / SHARE;
      return new Promise((done, fail) => {
        waiting.set(task.number, { done, fail, load: weight });
        load += weight;
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

function revive({ tag, message, hint = '', fields }: NonNullable<Done['error']>): Error {
  return tag === 'CorruptShardError' ? new CorruptShardError(message, { hint, fields }) : new Error(message);
}

/** The compiled thread, where this file runs from source too. */
function entry(): URL {
  const here = import.meta.url;
  const folder = here.endsWith('.ts') ? '../../dist/pipeline/sequences/' : './';
  return new URL(`${folder}readerThread.js`, here);
}
