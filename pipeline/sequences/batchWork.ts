/** What is done of a batch in parts, in whichever thread: frames are read into the ring, rows unpacked into the batch. */
import type { DatasetDescription } from '../../schemas/records/index.js';
import type { ShardReader } from '../shards/index.js';
import { type Part, type PartQueue, READ } from './partQueue.js';
import { rowUnpacker } from './unpackRows.js';
import { storedRows, type WindowRoom } from './windowRoom.js';

/** Plain data, so that threads can be started with it; all arrays lie in memory that they share. */
export interface BatchWork {
  address: string;
  description: DatasetDescription;
  room: WindowRoom;
  /** Words of the queue of parts, and how many batches it is for. */
  words: Int32Array;
  slots: number;
  /** Most frames of a batch. */
  frames: number;
  /** `[slot, frame, 4]`: number of the shard, record batch, row in it, row of the ring. */
  reads: Int32Array;
  /** `[slot, frame, 2]`: row of the ring or -1, frame of the batches. */
  unpacks: Int32Array;
  masks: boolean;
  shared: boolean;
}

export interface PartDoer {
  reader: ShardReader;
  /** Name of a shard by its number. */
  shard(number: number): string;
  /** Told before the part counts as done. */
  onError(part: Part, error: unknown): void;
}

/** Does a part that was claimed, and finishes it. A promise where it waits for the disk. */
export function partDoer(
  work: BatchWork,
  queue: PartQueue,
  { reader, shard, onError }: PartDoer,
): (part: Part) => Promise<void> | undefined {
  const rows = storedRows(work.room);
  const unpack = rowUnpacker(work.description, work.room, work);

  async function read(part: Part): Promise<void> {
    const entry = (i: number) => 4 * (part.slot * work.frames + part.from + i);
    const of = (word: number) =>
      Array.from({ length: part.to - part.from }, (_, i) => work.reads[entry(i) + word]);
    const [shards, batches, rowsThere, rowsHere] = [of(0), of(1), of(2), of(3)];
    try {
      const places = shards.map((number, i) => ({
        shard: number < 0 ? '' : shard(number),
        batch: batches[i],
        row: rowsThere[i],
      }));
      await reader.readStored(places, rowsHere, rows);
      queue.finish(part);
    } catch (error) {
      onError(part, error);
      queue.finish(part, 'failed');
    }
  }

  return (part) => {
    if (part.kind === READ) return read(part);
    const at = part.slot * work.frames;
    // Where frames could not be read there is nothing to unpack.
    if (!queue.failed(part.slot)) unpack(work.unpacks, at + part.from, at + part.to);
    queue.finish(part);
    return undefined;
  };
}
