/**
 * Watches what a child process decodes, from a thread beside it: code that never returns, in whatever language, cannot
 * watch itself. A map over its budget is noted as a suspect and the process is killed; its job starts again elsewhere.
 */
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { suspectKey } from '../../pipeline/shards/index.js';
import type { PlannedFrame, Slot } from '../../schemas/records/index.js';

export interface DecodeBudget {
  /** Processor time of one map, ms, besides `cpuMsPerByte` for each byte of its files. */
  cpuMs: number;
  cpuMsPerByte: number;
  /** Bytes by which the process may grow while one map is decoded. */
  memoryBytes: number;
}

/** The largest map that the limits allow takes a quarter of it at most; it is the same on every machine. */
export const DECODE_BUDGET: DecodeBudget = { cpuMs: 20_000, cpuMsPerByte: 4e-4, memoryBytes: 4 * 2 ** 30 };

/** What the thread is told of one job. */
export interface WatchedMaps {
  dataset: string;
  maps: { key: string; paths: string[]; cpuMs: number }[];
  memoryBytes: number;
  /** Int32: for each map how often it is being decoded right now, then how often that was begun. */
  flags: SharedArrayBuffer;
}

export interface MapWatch {
  /** Runs `decode` under the budget of the map of `frame`. */
  over<T>(frame: PlannedFrame, decode: () => Promise<T>): Promise<T>;
  stop(): void;
}

let thread: Worker | null = null;

/** Watches the maps of `slots` until `stop`. */
export function watchMaps(dataset: string, slots: readonly Slot[], budget: DecodeBudget): MapWatch {
  const places = new Map<string, number>();
  const maps: WatchedMaps['maps'] = [];
  for (const frame of slots.flatMap(({ frames }) => frames)) {
    const key = suspectKey(frame);
    if (places.has(key)) continue;
    places.set(key, maps.length);
    const bytes = frame.sources.reduce((sum, { size }) => sum + size, 0);
    const cpuMs = budget.cpuMs + budget.cpuMsPerByte * bytes;
    maps.push({ key, paths: frame.sources.map(({ path }) => path), cpuMs });
  }
  const flags = new SharedArrayBuffer(maps.length * 2 * Int32Array.BYTES_PER_ELEMENT);
  const counts = new Int32Array(flags);
  thread ??= start();
  const dog = thread;
  dog.postMessage({ dataset, maps, memoryBytes: budget.memoryBytes, flags } satisfies WatchedMaps);
  return {
    async over(frame, decode) {
      const place = places.get(suspectKey(frame)) ?? 0;
      Atomics.add(counts, maps.length + place, 1);
      Atomics.add(counts, place, 1);
      try {
        return await decode();
      } finally {
        Atomics.sub(counts, place, 1);
      }
    },
    stop: () => dog.postMessage(null),
  };
}

function start(): Worker {
  const here = import.meta.url;
  const built = '../../dist/workers/processors/watchdogThread.js';
  const entry = here.endsWith('.ts')
    ? pathToFileURL(fileURLToPath(new URL(built, here)))
    : new URL('./watchdogThread.js', here);
  const worker = new Worker(entry, { workerData: {}, execArgv: [] });
  worker.unref();
  worker.on('error', () => {
    thread = null; // without it the work goes on unwatched until the next job
  });
  return worker;
}
