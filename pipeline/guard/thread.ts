/**
 * A thread for a decoder that is not ours: one call at a time, with a budget of processor time and a heap limit.
 * Processor time and not the clock, so that a slow disk or a busy machine never makes a file bad.
 *
 *   const thread = guardedThread(entryUrl);
 *   const { value, fresh } = await thread.call('describe', [path], { cpuMs: 3_000 });
 */
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

/** Why a call brought no value: its own error, or what the guard did about it. */
export type Fault =
  | { kind: 'error'; message: string }
  | { kind: 'time'; cpuMs: number }
  | { kind: 'memory' }
  | { kind: 'died'; message: string };

export class GuardFault extends Error {
  constructor(
    readonly fault: Fault,
    /** No other call ran in this thread before. */
    readonly fresh: boolean,
  ) {
    super('message' in fault ? fault.message : fault.kind);
  }
}

export interface GuardedThread {
  /** Rejects with GuardFault; the thread that failed is ended, the next call starts another. */
  call<T>(method: string, args: readonly unknown[], budget: { cpuMs: number }): Promise<T>;
  /** Ends the thread, so that the next call starts in a fresh one. */
  renew(): Promise<void>;
}

const LOOK_EVERY_MS = 50;
const HEAP_MIB = 512;
/** Linux counts processor time in hundredths of a second. */
const TICK_MS = 10;

interface Running {
  worker: Worker;
  /** Number of the thread in the operating system; null where there is no /proc. */
  task: number | null;
  calls: number;
}

/** `entry`: a compiled file that calls `serveCalls`. */
export function guardedThread(entry: URL): GuardedThread {
  let running: Promise<Running> | null = null;
  let last: Promise<unknown> = Promise.resolve();

  async function end(): Promise<void> {
    const ending = running;
    running = null;
    await ending?.then(({ worker }) => worker.terminate()).catch(() => {});
  }

  async function one<T>(method: string, args: readonly unknown[], cpuMs: number): Promise<T> {
    running ??= start(entry);
    const thread = await running;
    const fresh = thread.calls++ === 0;
    try {
      return await ask<T>(thread, { method, args }, cpuMs);
    } catch (error) {
      await end();
      throw error instanceof GuardFault ? error : new GuardFault(faultOf(error), fresh);
    }
  }

  const queued = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work, work);
    last = next.catch(() => {});
    return next;
  };

  return {
    call: (method, args, { cpuMs }) => queued(() => one(method, args, cpuMs)),
    renew: () => queued(end),
  };
}

function start(entry: URL): Promise<Running> {
  const worker = new Worker(entry, {
    workerData: {},
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
  });
  return new Promise((done, fail) => {
    worker.once('error', fail);
    worker.once('message', (task: number | null) => {
      worker.removeAllListeners('error').unref();
      done({ worker, task, calls: 0 });
    });
  });
}

function ask<T>({ worker, task }: Running, call: object, cpuMs: number): Promise<T> {
  return new Promise<T>((done, fail) => {
    const began = processorMs(task);
    const finish = (then: () => void) => {
      clearInterval(timer);
      worker.removeAllListeners('message').removeAllListeners('error').removeAllListeners('exit');
      worker.on('error', () => {}); // of an ending thread nobody asks any more
      then();
    };
    const timer = setInterval(() => {
      if (processorMs(task) - began > cpuMs) finish(() => fail({ kind: 'time', cpuMs } satisfies Fault));
    }, LOOK_EVERY_MS);
    worker.once('message', ({ value, error }: { value: T; error?: string }) =>
      finish(() => (error === undefined ? done(value) : fail({ kind: 'error', message: error }))),
    );
    worker.once('error', (error) => finish(() => fail(error)));
    worker.once('exit', () => finish(() => fail({ kind: 'died', message: 'its thread ended' })));
    worker.postMessage(call);
  });
}

function faultOf(error: unknown): Fault {
  if (error instanceof Error) {
    const memory = (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY';
    return memory ? { kind: 'memory' } : { kind: 'died', message: error.message };
  }
  return error as Fault;
}

/** Processor time of one thread so far, ms; where /proc is missing, of the whole process. */
function processorMs(task: number | null): number {
  if (task === null) {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  }
  try {
    const stat = readFileSync(`/proc/self/task/${task}/stat`, 'latin1');
    // The name in parentheses may hold blanks; utime and stime are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return 0; // it has ended
  }
}
