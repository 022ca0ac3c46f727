/** The entry of a thread that makes batches: takes parts out of the shared queue for as long as there are any. */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { shardReader, storageAt } from '../shards/index.js';
import { type BatchWork, partDoer } from './batchWork.js';
import type { BatchFault, ShardName } from './crew.js';
import { partQueue } from './partQueue.js';
import { plain } from './threadErrors.js';

const { work, names } = workerData as { work: BatchWork; names: MessagePort };
const queue = partQueue(work.words, work.slots);
const known: string[] = [];
const finish = partDoer(work, queue, {
  reader: shardReader(storageAt(work.address), work.description),
  shard,
  onError({ slot }, error) {
    const fault: BatchFault = { slot, error: plain(error) };
    parentPort!.postMessage(fault);
  },
});

for (;;) {
  const seen = queue.progress();
  const part = queue.claim();
  if (part) await finish(part);
  else queue.wait(seen);
}

/** Names are sent before the parts that need them. */
function shard(number: number): string {
  while (known[number] === undefined) {
    const received = receiveMessageOnPort(names) as { message: ShardName } | undefined;
    if (!received) throw new Error(`no name was sent for shard ${number}`);
    known[received.message.number] = received.message.name;
  }
  return known[number];
}
