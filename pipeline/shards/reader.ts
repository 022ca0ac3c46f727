/**
 * Frames out of shards: neighbouring rows in one range read, each checked against its crc and unpacked once, straight to
 * where it is wanted. Holds open files and one buffer, no record batches, so memory is the same at any data size.
 */
import { frameSize, STORED, type StoredArray } from '../../schemas/arrow/index.js';
import type { DatasetDescription } from '../../schemas/records/index.js';
import { CorruptShardError, isStormreelError } from '../errors.js';
import { RemoteFault } from '../remote/index.js';
import { frameCrc } from './encode.js';
import { type ShardFile, shardFile } from './shardFile.js';
import type { Storage } from './storage/index.js';
import type { FrameBuffers } from './store.js';
import { frameUnpacker } from './unpack.js';

/** Where a frame lies; `batch` -1 for a bad one. */
export interface FramePlace {
  shard: string;
  batch: number;
  row: number;
}

export interface ShardReader {
  /** Frame i of `places` goes to the start of `target(i)`. CorruptShardError names the shard. */
  read(places: readonly FramePlace[], target: (i: number) => FrameBuffers): Promise<void>;
  close(): Promise<void>;
}

/** Bytes of one range read, as long as one frame has fewer. */
const RUN_BYTES = 1 << 20;
const MOST_OPEN_SHARDS = 32;

export function shardReader(storage: Storage, description: DatasetDescription): ShardReader {
  const { values: size, cells, maskBytes } = frameSize(description);
  const { array: Stored } = STORED[description.dtype];
  const frameBytes = size * Stored.BYTES_PER_ELEMENT;
  const mostRows = Math.max(1, Math.floor(RUN_BYTES / frameBytes));
  const unpack = frameUnpacker(description);
  const shards = openShards(storage, description);
  let buffer: { bytes: Uint8Array; values: StoredArray; masks: Uint8Array } | null = null;

  function staging() {
    const bytes = new Uint8Array(mostRows * frameBytes);
    const values = new Stored(bytes.buffer);
    buffer ??= { bytes, values, masks: new Uint8Array(mostRows * maskBytes) };
    return buffer;
  }

  /** Rows `row` .. `row + count - 1` of one record batch. */
  function readRun(
    file: ShardFile,
    { batch, row }: FramePlace,
    count: number,
    target: (i: number) => FrameBuffers,
  ) {
    const place = file.batch(batch);
    if (row < 0 || row + count > place.rows)
      throw new Error(`record batch ${batch} has no row ${row + count - 1}`);
    const { bytes, values, masks } = buffer ?? staging();
    file.read(bytes.subarray(0, count * frameBytes), place.values + row * frameBytes);
    if (place.masks !== null) file.read(masks.subarray(0, count * maskBytes), place.masks + row * maskBytes);
    for (let k = 0; k < count; k++) {
      const stored = values.subarray(k * size, (k + 1) * size);
      const mask = place.masks === null ? null : masks.subarray(k * maskBytes, (k + 1) * maskBytes);
      // Bytes that a disk or a copy changed must not be learned from.
      if (frameCrc(stored, mask) !== place.crc[row + k])
        throw new Error(`frame ${row + k} of record batch ${batch} fails its crc`);
      unpack(stored, mask, target(k));
    }
  }

  async function readChecked(
    first: FramePlace,
    count: number,
    target: (i: number) => FrameBuffers,
    again = true,
  ) {
    try {
      readRun(await shards.open(first.shard), first, count, target);
    } catch (cause) {
      if (isStormreelError(cause) || cause instanceof RemoteFault) throw cause;
      // The copy on this machine may be damaged where the object is not.
      if (again && (await storage.forget(first.shard))) {
        await shards.close(first.shard);
        await readChecked(first, count, target, false);
        return;
      }
      throw new CorruptShardError(
        `cannot read shard ${storage.locate(first.shard)}: ${(cause as Error).message}`,
        {
          hint: `stormreel dataset repair ${storage.address}, then run the same stormreel ingest again`,
          cause,
          fields: { shard: first.shard },
        },
      );
    }
  }

  async function readAll(places: readonly FramePlace[], target: (i: number) => FrameBuffers): Promise<void> {
    for (let i = 0; i < places.length; ) {
      const start = i;
      if (places[start].batch < 0) {
        const { values, valid } = target(start);
        values.fill(0, 0, size);
        valid.fill(0, 0, cells);
        i++;
        continue;
      }
      const count = runLength(places, start, mostRows);
      await readChecked(places[start], count, (k) => target(start + k));
      i += count;
    }
  }

  let turn: Promise<unknown> = Promise.resolve();
  return {
    // One after the other: the buffer is shared, and no open shard is closed under a reader.
    read(places, target) {
      const reading = turn.then(() => readAll(places, target));
      turn = reading.catch(() => {});
      return reading;
    },
    async close() {
      await turn;
      await shards.closeAll();
    },
  };
}

/** How many places from `i` on are neighbouring rows of one record batch. */
function runLength(places: readonly FramePlace[], i: number, most: number): number {
  const { shard, batch, row } = places[i];
  let count = 1;
  while (count < most && i + count < places.length) {
    const next = places[i + count];
    if (next.shard !== shard || next.batch !== batch || next.row !== row + count) break;
    count++;
  }
  return count;
}

/** The shards used last stay open. */
function openShards(storage: Storage, description: DatasetDescription) {
  const opened = new Map<string, Promise<ShardFile>>();

  async function start(shard: string): Promise<ShardFile> {
    const file = await storage.open(shard);
    try {
      return shardFile(file, (await file.stat()).size, description);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async function close(shard: string): Promise<void> {
    const closing = opened.get(shard);
    opened.delete(shard);
    await closing?.then((file) => file.close()).catch(() => {});
  }

  return {
    close,
    async open(shard: string): Promise<ShardFile> {
      const known = opened.get(shard);
      if (known) {
        opened.delete(shard);
        opened.set(shard, known);
        return known;
      }
      if (opened.size >= MOST_OPEN_SHARDS) await close(opened.keys().next().value!);
      const opening = start(shard);
      opened.set(shard, opening);
      opening.catch(() => opened.delete(shard));
      return opening;
    },
    closeAll: async () => {
      await Promise.all([...opened.keys()].map(close));
    },
  };
}
