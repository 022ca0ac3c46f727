/**
 * Threads for the wasm backend in Node. TensorFlow.js has a threaded binary but starts it in browsers only, because
 * its workers come as blob URLs. Here the workers of the same package are started from their files instead.
 */
import { join } from 'node:path';
import { load, tf } from '../backend/tfjs.js';

type WorkerThreads = typeof import('node:worker_threads');
/** Stable name of the two files beside the package's own entry point. */
const SCRIPT = 'tfjs-backend-wasm-threaded-simd';

/** Runs `start`, which must initialise the backend, with the threaded binary switched on and `count` threads. */
export async function withThreads<A>(
  packageFolder: string,
  count: number,
  start: () => Promise<A>,
): Promise<A> {
  const threads = load('node:worker_threads') as { Worker: WorkerThreads['Worker'] };
  const system = load('node:os') as typeof import('node:os');
  const [original, cpus] = [threads.Worker, system.cpus];
  // The binary takes at most half of what it counts as cores.
  system.cpus = () => Array.from({ length: 2 * count }, () => cpus()[0]);
  const awake = setInterval(() => {}, 1000); // the workers do not keep the process alive, but this start must
  threads.Worker = fileWorker(original, join(packageFolder, 'wasm-out'));
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', true);
  try {
    return await start();
  } finally {
    threads.Worker = original;
    system.cpus = cpus;
    clearInterval(awake);
  }
}

/** A Worker that takes its scripts from `folder`, whatever URL or blob it is given. */
function fileWorker(Worker: WorkerThreads['Worker'], folder: string): WorkerThreads['Worker'] {
  const { wasmWorkerContents } = load(join(folder, `${SCRIPT}.worker.js`)) as { wasmWorkerContents: string };
  return class extends Worker {
    constructor() {
      super(wasmWorkerContents.replaceAll('\n', '\\n'), { eval: true }); // its one line break is inside a string
      this.unref();
    }

    /** A waiting worker must not keep the process from ending. */
    override ref(): void {}

    override postMessage(message: { cmd?: string; urlOrBlob?: unknown }, transfer?: readonly never[]): void {
      const fromFile = { ...message, urlOrBlob: join(folder, `${SCRIPT}.js`) };
      super.postMessage(message.cmd === 'load' ? fromFile : message, transfer);
    }
  };
}
