/**
 * Batches out of a ring of frames as they lie in the shards: a quarter of the bytes for a dataset of u8, so that much more of
 * it lies in the processor's caches. A frame is read and checked once and unpacked straight into each window that holds it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { frameSize, STORED } from '../../schemas/arrow/index.js';
import { isS3 } from '../remote/index.js';
import { type FrameOrigin, type FrameStore, shardReader, storageAt } from '../shards/index.js';
import type { BatchMaker, MakerOptions } from './batchMaker.js';
import { type BatchWork, partDoer } from './batchWork.js';
import { type Crew, crewOf } from './crew.js';
import { type Part, partQueue, queueWords, READ, UNPACK } from './partQueue.js';
import { residentRows } from './residents.js';
import { windowRoom } from './windowRoom.js';

/** Bytes worth a part of reading, and numbers worth one of unpacking: some 10 us each. */
const READ_BYTES = 24_576;
/** Parts of reading a thread, where there are frames enough: those who are done first do not wait for long. */
const READS_EACH = 2;
const UNPACK_NUMBERS = 131_072;
/** Times the caller sleeps a millisecond for other threads before it lets timers and sockets have their turn. */
const SHORT_WAITS = 5;

interface Begun {
  slot: number;
  rows: Int32Array;
  missing: number;
}

/** Null where the ring and the batches do not fit into one WebAssembly memory (4 GiB). */
export function storedBatches(
  { description }: FrameStore,
  origin: FrameOrigin,
  options: MakerOptions,
): BatchMaker | null {
  const { frames: most, ahead, threads, masks, capacityFrames, keepFrames } = options;
  const { values: size, cells } = frameSize(description);
  const slots = ahead + 1;
  const shared = threads > 0;
  const room = windowRoom(description, { capacity: capacityFrames, frames: slots * most, masks, shared });
  if (!room) return null;
  const work: BatchWork = {
    address: origin.address,
    description,
    room,
    words: queueWords(slots, 2 * most),
    slots,
    frames: most,
    reads: new Int32Array(new SharedArrayBuffer(4 * 4 * slots * most)),
    unpacks: new Int32Array(new SharedArrayBuffer(4 * 2 * slots * most)),
    masks,
    shared,
  };
  const queue = partQueue(work.words, slots);
  const residents = residentRows(capacityFrames, keepFrames);
  const crew = crewOf(work, threads);
  const names = shardNames(crew);
  const reader = shardReader(storageAt(origin.address), description);
  const faults = new Map<number, unknown>(); // of this thread, by slot
  const doPart = partDoer(work, queue, {
    reader,
    shard: names.name,
    onError: ({ slot }, error) => faults.set(slot, error),
  });
  // Whoever waits for the network does nothing else: that is left to the threads.
  const mine = threads > 0 && isS3(origin.address) ? UNPACK : undefined;
  const deal = dealer(work, { size, threads });
  const begun: Begun[] = [];
  let [sequence, reads] = [0, 0];
  let closed = false;

  function listReads(slot: number, missing: readonly number[]): void {
    missing.forEach((frame, i) => {
      const { shard, batch, row } = origin.place(frame);
      const number = batch < 0 ? -1 : names.number(shard);
      work.reads.set([number, batch, row, residents.rowOf(frame)], 4 * (slot * most + i));
    });
  }

  /** Does parts until all of the batch are done. */
  async function finish(slot: number): Promise<void> {
    for (let waits = 0; !queue.made(slot); ) {
      const seen = queue.progress();
      const part = queue.claim(mine);
      if (part) {
        await doPart(part);
        waits = 0;
      } else if (queue.made(slot)) return;
      else if (waits++ < SHORT_WAITS) queue.wait(seen, 1);
      else await sleep(1);
      const ended = closed ? new Error('the batches were closed') : crew.ended();
      if (ended) throw ended;
    }
  }

  async function faultOf(slot: number): Promise<unknown> {
    for (;;) {
      const fault = faults.get(slot) ?? crew.fault(slot) ?? crew.ended();
      if (fault) return fault;
      await sleep(1); // a thread's message is on its way
    }
  }

  return {
    begin(frames) {
      const slot = sequence % slots;
      const { rows, missing } = residents.hold(frames);
      missing.sort((a, b) => a - b);
      listReads(slot, missing);
      const parts = deal(slot, rows, missing.length);
      const readParts = parts.filter(({ kind }) => kind === READ).length;
      queue.open(slot, sequence, { reads: readParts, unpacks: parts.length - readParts });
      queue.publish(parts);
      begun.push({ slot, rows, missing: missing.length });
      sequence = (sequence + 1) | 0;
    },
    async next() {
      const { slot, rows, missing } = begun.shift()!;
      await finish(slot);
      if (queue.failed(slot)) throw await faultOf(slot);
      residents.letGo(rows);
      reads += missing;
      const at = slot * most;
      const { memory, places } = room;
      return {
        values: new Float32Array(memory.buffer, places.values + 4 * at * size, rows.length * size),
        valid: masks ? new Uint8Array(memory.buffer, places.valid + at * cells, rows.length * cells) : null,
        reads,
      };
    },
    async close() {
      closed = true;
      await Promise.all([crew.close(), reader.close()]);
    },
  };
}

/** Numbers for the names of shards, told to the threads when a shard is first met. */
function shardNames(crew: Crew) {
  const numbers = new Map<string, number>();
  const names: string[] = [];
  return {
    name: (number: number) => names[number],
    number(name: string): number {
      const known = numbers.get(name);
      if (known !== undefined) return known;
      const number = names.push(name) - 1;
      numbers.set(name, number);
      crew.tell({ number, name });
      return number;
    },
  };
}

/** Lists what is to be unpacked, row by row, and cuts a batch into parts. */
function dealer(work: BatchWork, { size, threads }: { size: number; threads: number }) {
  const frameBytes = size * STORED[work.description.dtype].array.BYTES_PER_ELEMENT;
  const leastRead = Math.max(1, Math.ceil(READ_BYTES / frameBytes));
  const byRow = rowGroups(work.room.kinds.length, work.frames);

  /** At least `leastRead` frames each. Of compressed shards all in one: each reader unpacks whole record batches. */
  function readParts(slot: number, count: number): Part[] {
    const most = work.description.compression || threads === 0 ? 1 : READS_EACH * (threads + 1);
    const parts = Math.max(1, Math.min(most, Math.floor(count / leastRead)));
    const each = Math.max(1, Math.ceil(count / parts));
    const found: Part[] = [];
    for (let from = 0; from < count; from += each)
      found.push({ kind: READ, slot, from, to: Math.min(count, from + each) });
    return found;
  }

  return (slot: number, rows: Int32Array, missing: number): Part[] => {
    const parts = readParts(slot, missing);
    let [from, at] = [0, 0];
    const first = slot * work.frames;
    byRow(rows, (row, frame, isLast) => {
      work.unpacks[2 * (first + at)] = row;
      work.unpacks[2 * (first + at) + 1] = first + frame;
      at++;
      if (!isLast || ((at - from) * size < UNPACK_NUMBERS && at < rows.length)) return;
      parts.push({ kind: UNPACK, slot, from, to: at });
      from = at;
    });
    return parts;
  };
}

/** Walks over `rows` so that equal ones follow one another, in the order they are first met. */
function rowGroups(capacity: number, frames: number) {
  const first = new Int32Array(capacity + 1).fill(-1); // place in `rows`; the last is for -1
  const next = new Int32Array(frames);
  return (rows: Int32Array, visit: (row: number, place: number, isLast: boolean) => void): void => {
    const of = (row: number) => (row < 0 ? capacity : row);
    for (let i = rows.length - 1; i >= 0; i--) {
      next[i] = first[of(rows[i])];
      first[of(rows[i])] = i;
    }
    for (const row of rows) {
      let place = first[of(row)];
      first[of(row)] = -1;
      for (; place >= 0; place = next[place]) visit(row, place, next[place] < 0);
    }
  };
}
