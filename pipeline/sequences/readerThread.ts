/**
 * The entry of a reader thread: reads frames out of shards into the rows of a shared ring and copies rows into batches,
 * one task after the other.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { frameSize } from '../../schemas/arrow/index.js';
import { isStormreelError } from '../errors.js';
import { shardReader, storageAt } from '../shards/index.js';
import { rowCopier } from './copyRows.js';
import { rowsOf } from './rowReader.js';
import type { Done, Task, ThreadData } from './threads.js';

const { address, description, memory } = workerData as ThreadData;
const { values, cells } = frameSize(description);
const row = rowsOf(memory.rows, values, cells);
const copy = rowCopier(memory.rows, memory.copies, values, memory.maskCells);
const reader = shardReader(storageAt(address), description);

parentPort!.on('message', async (task: Task) => {
  const answer: Done = { number: task.number };
  try {
    if ('copy' in task) copy(task.copy, task.at);
    else await reader.read(task.places, (k) => row(task.rows[k]));
  } catch (error) {
    answer.error = plain(error);
  }
  parentPort!.postMessage(answer);
});

function plain(error: unknown): Done['error'] {
  if (!isStormreelError(error)) return { message: (error as Error).message };
  const { tag, message, hint, fields } = error;
  return { tag, message, hint, fields: JSON.parse(JSON.stringify(fields)) };
}
