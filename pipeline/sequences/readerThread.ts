/**
 * The entry of a reader thread: reads frames out of shards into the rows of a shared ring, one task after the other.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { frameSize } from '../../schemas/arrow/index.js';
import { shardReader, storageAt } from '../shards/index.js';
import { rowsOf } from './rowReader.js';
import { plain } from './threadErrors.js';
import type { Done, Task, ThreadData } from './threads.js';

const { address, description, rows } = workerData as ThreadData;
const { values, cells } = frameSize(description);
const row = rowsOf(rows, values, cells);
const reader = shardReader(storageAt(address), description);

parentPort!.on('message', async (task: Task) => {
  const answer: Done = { number: task.number };
  try {
    await reader.read(task.places, (k) => row(task.rows[k]));
  } catch (error) {
    answer.error = plain(error);
  }
  parentPort!.postMessage(answer);
});
