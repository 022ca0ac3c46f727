/**
 * Frames out of shards: neighbouring rows in one range read, each checked against its crc and unpacked once, straight to
 * where it is wanted. Holds open files and one buffer (of compressed shards a few record batches), so that memory is the
 * same at any data size.
 */
import { frameSize, STORED, type StoredArray } from '../../schemas/arrow/index.js';
import type { DatasetDescription } from '../../schemas/records/index.js';
import { CorruptShardError, isStormreelError } from '../errors.js';
import { RemoteFault } from '../remote/index.js';
import { batchRows, frameCrc } from './encode.js';
import { type BatchPlace, type ShardFile, shardFile } from './shardFile.js';
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
/** Bytes of decompressed record batches kept, as long as one has fewer; none where shards are not compressed. */
const INFLATED_BYTES = 64 << 20;

/** Most bytes of decompressed record batches that one reader keeps of a dataset of so many frames. */
export function keptBytes(description: DatasetDescription, frames: number): number {
  if (!description.compression) return 0;
  const { values, maskBytes } = frameSize(description);
  const frameBytes = values * STORED[description.dtype].array.BYTES_PER_ELEMENT + maskBytes;
  const batch = batchRows(description) * frameBytes;
  return Math.min(Math.max(INFLATED_BYTES, batch), frames * frameBytes);
}

/** Frames as stored. */
interface StoredRows {
  values: StoredArray;
  masks: Uint8Array;
}

export function shardReader(storage: Storage, description: DatasetDescription): ShardReader {
  const { values: size, cells, maskBytes } = frameSize(description);
  const { array: Stored } = STORED[description.dtype];
  const frameBytes = size * Stored.BYTES_PER_ELEMENT;
  const mostRows = Math.max(1, Math.floor(RUN_BYTES / frameBytes));
  const unpack = frameUnpacker(description);
  const shards = openShards(storage, description);
  let buffer: (StoredRows & { bytes: Uint8Array }) | null = null;
  const bodies = new Map<string, StoredRows>(); // decompressed record batches, the one used longest ago first

  function staging() {
    const bytes = new Uint8Array(mostRows * frameBytes);
    return { bytes, values: new Stored(bytes.buffer), masks: new Uint8Array(mostRows * maskBytes) };
  }

  /** Rows `row` .. `row + count - 1` alone. */
  function ranges(file: ShardFile, place: BatchPlace, row: number, count: number): StoredRows {
    buffer ??= staging();
    file.read(buffer.bytes.subarray(0, count * frameBytes), place.values.at + row * frameBytes);
    if (place.masks) file.read(buffer.masks.subarray(0, count * maskBytes), place.masks.at + row * maskBytes);
    return buffer;
  }

  /** All rows of a compressed batch, kept for their neighbours. */
  function inflated(file: ShardFile, { shard, batch }: FramePlace, place: BatchPlace): StoredRows {
    const key = `${shard}#${batch}`;
    let body = bodies.get(key);
    bodies.delete(key);
    if (!body) {
      const bytes = file.whole(place.values, true);
      const masks = place.masks ? file.whole(place.masks, true) : new Uint8Array(0);
      body = { values: new Stored(bytes.buffer, 0, place.rows * size), masks };
    }
    bodies.set(key, body);
    let held = 0;
    for (const one of bodies.values()) held += one.values.byteLength + one.masks.byteLength;
    for (const [old, { values, masks }] of bodies) {
      if (held <= INFLATED_BYTES || old === key) break;
      held -= values.byteLength + masks.byteLength;
      bodies.delete(old);
    }
    return body;
  }

  /** Rows `row` .. `row + count - 1` of one record batch. */
  function readRun(file: ShardFile, first: FramePlace, count: number, target: (i: number) => FrameBuffers) {
    const { batch, row } = first;
    const place = file.batch(batch);
    if (row < 0 || row + count > place.rows)
      throw new Error(`record batch ${batch} has no row ${row + count - 1}`);
    const { values, masks } = place.compressed
      ? inflated(file, first, place)
      : ranges(file, place, row, count);
    const from = place.compressed ? row : 0;
    for (let k = 0; k < count; k++) {
      const at = from + k;
      const stored = values.subarray(at * size, (at + 1) * size);
      const mask = place.masks === null ? null : masks.subarray(at * maskBytes, (at + 1) * maskBytes);
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
      bodies.delete(`${first.shard}#${first.batch}`);
      if (again && (await storage.forget(first.shard))) {
        await shards.close(first.shard);
        await readChecked(first, count, target, false);
        return;
      }
      throw new CorruptShardError(
        `cannot read shard ${storage.locate(first.shard)}: ${(cause as Error).message}`,
        {
          hint: `stormreel dataset repair ${storage.address}`,
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
