/**
 * Commands one after the other, each a job; what is finished with the same inputs is left out the next time.
 *
 *   await runFlow({ folder: 'run', steps: [{ name: 'report', command: ['report', 'run'], inputHash, dataset }] });
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Worker } from 'bullmq';
import { ConfigError } from '../pipeline/errors.js';
import type { OnProgress } from '../pipeline/progress.js';
import { StepProgress } from '../schemas/jobs/index.js';
import { type FlowRecord, readRecord, stateOf, writeRecord } from './flowRecord.js';
import { orGone } from './queues/gone.js';
import {
  type Connection,
  contentId,
  openConnection,
  payload,
  processorFile,
  removeFinished,
  stepsQueue,
  WORKER_OPTIONS,
} from './queues/index.js';
import { serveQueue } from './queues/serve.js';
import { within } from './queues/within.js';
import { watchOne } from './watch.js';

export interface FlowStep {
  name: string;
  /** Arguments of `stormreel`. */
  command: string[];
  /** Hash of all that the command reads besides the dataset. */
  inputHash: string;
  /** Run it each time; it does nothing by itself where nothing has changed. */
  always?: boolean;
  /** Dataset whose frames and labels the step reads. */
  dataset: string;
}

export interface FlowOptions {
  /** The queue and flow.json lie here. */
  folder: string;
  /** Redis URL; default: a queue inside this process. */
  queue?: string;
  steps: readonly FlowStep[];
  /** Name of the first step that is done again whatever is finished. */
  from?: string;
  onProgress?: OnProgress;
  log?: (line: string) => void;
  signal?: AbortSignal;
}

/** The error of the step that failed (its own type under exit code 2); ConfigError for an unknown `from`. */
export async function runFlow(options: FlowOptions): Promise<void> {
  const { steps, from } = options;
  const folder = resolve(options.folder);
  const first = from === undefined ? steps.length : steps.findIndex(({ name }) => name === from);
  if (first < 0)
    throw new ConfigError(`there is no step "${from}"`, {
      hint: `the steps are ${steps.map(({ name }) => name).join(', ')}`,
      fields: { from },
    });
  await mkdir(folder, { recursive: true });
  const connection = await openConnection(
    options.queue ? { url: options.queue } : { folder: join(folder, 'queue') },
  );
  try {
    await runSteps(connection, folder, first, options);
  } finally {
    await connection.close();
  }
}

async function runSteps(
  connection: Connection,
  folder: string,
  first: number,
  { steps, queue, onProgress, log = () => {}, signal }: FlowOptions,
): Promise<void> {
  const name = stepsQueue(folder);
  if (connection.kind === 'pglite') await connection.queue(name).obliterate({ force: true });
  const serving = await serveQueue(connection, [name]);
  const worker = connection.worker(name, processorFile(), {
    ...WORKER_OPTIONS,
    concurrency: 1,
    ...(queue && { workerForkOptions: { env: { ...process.env, STORMREEL_QUEUE: queue } } }),
  });
  relayLines(worker, onProgress, log);
  let stale = false;
  try {
    for (const [i, step] of steps.entries()) {
      const record = await readRecord(folder);
      const again = stale || i >= first || step.always;
      if (!again && (await isFinished(record, step))) {
        log(`${step.name}: finished before with the same inputs`);
        continue;
      }
      await runOne(connection, name, step, signal);
      await writeRecord(folder, step, await stateOf(step.dataset));
      if (!step.always) stale = true;
    }
  } catch (error) {
    worker.cancelAllJobs();
    await within(worker.close(true));
    throw error;
  } finally {
    serving();
  }
}

async function isFinished(record: FlowRecord, { name, inputHash, dataset }: FlowStep): Promise<boolean> {
  const before = record.steps[name];
  if (before?.inputHash !== inputHash) return false;
  return before.dataset === (await stateOf(dataset));
}

async function runOne(
  connection: Connection,
  queueName: string,
  { name, command, inputHash }: FlowStep,
  signal: AbortSignal | undefined,
): Promise<void> {
  const queue = connection.queue(queueName);
  const id = contentId('step', name, inputHash);
  const data = payload('step', { name, command: withoutQueue(command) });
  const add = async () => {
    await removeFinished(queue, [id]);
    await queue.add('step', data, {
      jobId: id,
      attempts: 3, // a killed process; what a command itself says is final
      backoff: { type: 'exponential', delay: 500 },
      removeOnComplete: { count: 100 },
      removeOnFail: { count: 100 },
    });
  };
  do
    await orGone(connection.where, add()); // a job that the queue lost is added again
  while ((await watchOne(connection, { queue: queueName, id, signal })) === 'lost');
}

/** A queue's address may hold a password and a payload is stored: steps get it by their environment. */
function withoutQueue(command: readonly string[]): string[] {
  const at = command.indexOf('--queue');
  return at < 0 ? [...command] : [...command.slice(0, at), ...command.slice(at + 2)];
}

/** `train: 120/600 steps, 14/s, 34 s left loss 0.3` is progress; any other line is for the log. */
const PROGRESS_LINE = /^(\w[\w -]*): (\d+)\/(\d+) (\S+), \S+\/s, .+? left ?(.*)$/;

function relayLines(worker: Worker, onProgress: OnProgress | undefined, log: (line: string) => void): void {
  worker.on('progress', (_job, progress) => {
    const told = StepProgress.safeParse(progress);
    if (!told.success) return;
    const [, stage, done, total, unit, note] = PROGRESS_LINE.exec(told.data.line) ?? [];
    if (stage && onProgress) onProgress({ stage, done: Number(done), total: Number(total), unit, note });
    else log(told.data.line);
  });
}
