/**
 * WebAssembly backend, always there. Its .wasm files come from the installed package; gradients it lacks are
 * composed from what it has (../wasm/).
 */
import { availableParallelism } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { registerWasmGradients } from '../wasm/register.js';
import { withThreads } from '../wasm/threads.js';
import type { Opened } from './choice.js';
import { load, tf } from './tfjs.js';

type Wasm = typeof import('@tensorflow/tfjs-backend-wasm');
/** The binary's pool has eight workers. */
const MOST_THREADS = 8;

export async function openWasm({ threads }: { threads?: number }): Promise<Opened> {
  const count = Math.min(threads ?? availableParallelism(), MOST_THREADS);
  const wasm = load('@tensorflow/tfjs-backend-wasm') as Wasm;
  const folder = dirname(load.resolve('@tensorflow/tfjs-backend-wasm'));
  wasm.setWasmPaths(join(folder, sep));
  const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
  const start = () => withoutNewHandlers(startBackend);
  if (count > 1 && simd) {
    wasm.setThreadsCount(count);
    await withThreads(dirname(folder), count, start);
  } else await start();
  registerWasmGradients();
  return {
    name: 'wasm',
    device: simd ? 'simd' : 'plain',
    threads: count > 1 && simd ? wasm.getThreadsCount() : 1,
    versions: { wasm: wasm.version_wasm, tfjs: tf.version_core },
  };
}

async function startBackend(): Promise<void> {
  await tf.setBackend('wasm');
  await tf.ready();
}

/** The binary's loader installs handlers that throw errors again and so change exit codes: they are taken off. */
async function withoutNewHandlers(start: () => Promise<void>): Promise<void> {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => process.rawListeners(event));
  await start();
  events.forEach((event, i) => {
    for (const listener of process.rawListeners(event))
      if (!before[i].includes(listener)) process.off(event, listener as () => void);
  });
}
