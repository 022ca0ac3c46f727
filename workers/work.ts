/** A worker of its own: takes the jobs of ingests that run elsewhere, over one Redis. */
import {
  defaultWorkers,
  INGEST_QUEUE,
  openConnection,
  processorFile,
  WORKER_OPTIONS,
} from './queues/index.js';

export interface WorkOptions {
  /** Redis URL. */
  queue: string;
  /** Child processes; default: one a core. */
  workers?: number;
  log?: (line: string) => void;
  signal: AbortSignal;
}

/** Works until the signal aborts, then ends the jobs in hand. The datasets' folders must be mounted at the same paths. */
export async function work({
  queue,
  workers = defaultWorkers(),
  log = () => {},
  signal,
}: WorkOptions): Promise<void> {
  const connection = await openConnection({ url: queue });
  try {
    const worker = connection.worker(INGEST_QUEUE, processorFile(), {
      ...WORKER_OPTIONS,
      concurrency: workers,
    });
    worker.on('completed', ({ name, data }) => log(`done: ${name} of ${data.dataset}`));
    worker.on('failed', (job, error) =>
      log(`failed: ${job?.name} of ${job?.data.dataset}: ${error.message}`),
    );
    log(`${workers} workers wait for jobs at ${connection.where}`);
    if (!signal.aborted)
      await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
  } finally {
    await connection.close();
  }
}
