/** Asks or changes the queue of a dataset, of a run or of a Redis server, whoever owns it. */
import { readdir } from 'node:fs/promises';
import { ConfigError } from '../pipeline/errors.js';
import { datasetAddress, queueFolder } from '../pipeline/shards/index.js';
import { currentOwner, INGEST_QUEUE, openConnection, type Place, stepsQueue } from './queues/index.js';
import { askOwner } from './queues/serve.js';
import { type Action, manageQueue, type QueueStatus } from './queues/status.js';

/** `place`: a Redis URL, or the folder of a dataset or run. ConfigError where there is no queue. */
export async function manage(place: string, action: Action): Promise<QueueStatus[]> {
  const { at, names } = await findQueue(place);
  const owner = 'folder' in at ? await currentOwner(at.folder) : null;
  if (owner) return askOwner(owner, action);
  const connection = await openConnection(at);
  try {
    const found: QueueStatus[] = [];
    for (const name of names) found.push(await manageQueue(connection.queue(name), action));
    return found;
  } finally {
    await connection.close();
  }
}

/** Where the queue of `place` is and which queues it may hold. */
export async function findQueue(place: string): Promise<{ at: Place; names: string[] }> {
  if (/^rediss?:\/\//i.test(place)) return { at: { url: place }, names: [INGEST_QUEUE] };
  const folder = queueFolder(place);
  const files = await readdir(folder).catch(() => null);
  if (files) return { at: { folder }, names: [INGEST_QUEUE, stepsQueue(datasetAddress(place))] };
  throw new ConfigError(`${place} has no queue`, {
    hint: 'give the folder of a dataset or run that was begun without --queue, or a redis:// address',
    fields: { place },
  });
}
