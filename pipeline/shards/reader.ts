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
import { openShards } from './openShards.js';
import type { BatchPlace, ShardFile } from './shardFile.js';
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
  /** Frame i goes to row `rows[i]` as it lies in the shard, its crc checked; neighbours in the shard and in `to` in one read. */
  readStored(places: readonly FramePlace[], rows: ArrayLike<number>, to: StoredRows): Promise<void>;
  close(): Promise<void>;
}

/** Bytes of one range read, as long as one frame has fewer. */
const RUN_BYTES = 1 << 20;
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
interface Stored {
  values: StoredArray;
  masks: Uint8Array;
}

/** How a row of `StoredRows` is to be unpacked: no cell is invalid, a bit a cell says which are, or there is nothing in it. */
export const ALL_VALID = 0;
export const MASKED = 1;
export const NOTHING = 2;

/** Bytes of frames as stored, row by row. */
export interface StoredRows {
  /** `[rows, bytes of a frame]`. */
  values: Uint8Array;
  /** `[rows, bytes of a mask]`, where the row is MASKED. */
  masks: Uint8Array;
  /** `[rows]`: ALL_VALID, MASKED, or NOTHING for a bad frame. */
  kinds: Uint8Array;
}

export function shardReader(storage: Storage, description: DatasetDescription): ShardReader {
  const { values: size, cells, maskBytes } = frameSize(description);
  const { array: Numbers } = STORED[description.dtype];
  const frameBytes = size * Numbers.BYTES_PER_ELEMENT;
  const mostRows = Math.max(1, Math.floor(RUN_BYTES / frameBytes));
  const unpack = frameUnpacker(description);
  const shards = openShards(storage, description);
  let buffer: (Stored & { bytes: Uint8Array }) | null = null;
  const bodies = new Map<string, Stored>(); // decompressed record batches, the one used longest ago first

  function staging() {
    const bytes = new Uint8Array(mostRows * frameBytes);
    return { bytes, values: new Numbers(bytes.buffer), masks: new Uint8Array(mostRows * maskBytes) };
  }

  /** Rows `row` .. `row + count - 1` alone. */
  function ranges(file: ShardFile, place: BatchPlace, row: number, count: number): Stored {
    buffer ??= staging();
    file.read(buffer.bytes.subarray(0, count * frameBytes), place.values.at + row * frameBytes);
    if (place.masks) file.read(buffer.masks.subarray(0, count * maskBytes), place.masks.at + row * maskBytes);
    return buffer;
  }

  /** All rows of a compressed batch, kept for their neighbours. */
  function inflated(file: ShardFile, { shard, batch }: FramePlace, place: BatchPlace): Stored {
    const key = `${shard}#${batch}`;
    let body = bodies.get(key);
    bodies.delete(key);
    if (!body) {
      const bytes = file.whole(place.values, true);
      const masks = place.masks ? file.whole(place.masks, true) : new Uint8Array(0);
      body = { values: new Numbers(bytes.buffer, 0, place.rows * size), masks };
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

  function batchOf(file: ShardFile, { batch, row }: FramePlace, count: number): BatchPlace {
    const place = file.batch(batch);
    if (row < 0 || row + count > place.rows)
      throw new Error(`record batch ${batch} has no row ${row + count - 1}`);
    return place;
  }

  /** Bytes that a disk or a copy changed must not be learned from. */
  function check(found: number, place: BatchPlace, { batch }: FramePlace, row: number): void {
    if (found !== place.crc[row]) throw new Error(`frame ${row} of record batch ${batch} fails its crc`);
  }

  /** Rows `row` .. `row + count - 1` of one record batch. */
  function readRun(file: ShardFile, first: FramePlace, count: number, target: (i: number) => FrameBuffers) {
    const { row } = first;
    const place = batchOf(file, first, count);
    const { values, masks } = place.compressed
      ? inflated(file, first, place)
      : ranges(file, place, row, count);
    const from = place.compressed ? row : 0;
    for (let k = 0; k < count; k++) {
      const at = from + k;
      const stored = values.subarray(at * size, (at + 1) * size);
      const mask = place.masks === null ? null : masks.subarray(at * maskBytes, (at + 1) * maskBytes);
      check(frameCrc(stored, mask), place, first, row + k);
      unpack(stored, mask, target(k));
    }
  }

  /** The same rows as they are, to rows `to` .. of `out`. */
  function readRunStored(file: ShardFile, first: FramePlace, count: number, to: number, out: StoredRows) {
    const { row } = first;
    const place = batchOf(file, first, count);
    const values = out.values.subarray(to * frameBytes, (to + count) * frameBytes);
    const masks = out.masks.subarray(to * maskBytes, (to + count) * maskBytes);
    if (place.compressed) {
      const body = inflated(file, first, place);
      const { buffer, byteOffset } = body.values;
      values.set(new Uint8Array(buffer, byteOffset + row * frameBytes, count * frameBytes));
      if (place.masks) masks.set(body.masks.subarray(row * maskBytes, (row + count) * maskBytes));
    } else {
      file.read(values, place.values.at + row * frameBytes);
      if (place.masks) file.read(masks, place.masks.at + row * maskBytes);
    }
    for (let k = 0; k < count; k++) {
      const stored = values.subarray(k * frameBytes, (k + 1) * frameBytes);
      const mask = place.masks === null ? null : masks.subarray(k * maskBytes, (k + 1) * maskBytes);
      check(frameCrc(stored, mask), place, first, row + k);
      out.kinds[to + k] = mask ? MASKED : ALL_VALID;
    }
  }

  /** Opens the shard of `place` and does what is to be done with it. */
  async function readChecked(place: FramePlace, use: (file: ShardFile) => void, again = true): Promise<void> {
    try {
      use(await shards.open(place.shard));
    } catch (cause) {
      if (isStormreelError(cause) || cause instanceof RemoteFault) throw cause;
      // The copy on this machine may be damaged where the object is not.
      bodies.delete(`${place.shard}#${place.batch}`);
      if (again && (await storage.forget(place.shard))) {
        await shards.close(place.shard);
        await readChecked(place, use, false);
        return;
      }
      throw new CorruptShardError(
        `cannot read shard ${storage.locate(place.shard)}: ${(cause as Error).message}`,
        {
          hint: `stormreel dataset repair ${storage.address}`,
          cause,
          fields: { shard: place.shard },
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
      await readChecked(places[start], (file) =>
        readRun(file, places[start], count, (k) => target(start + k)),
      );
      i += count;
    }
  }

  async function readAllStored(
    places: readonly FramePlace[],
    rows: ArrayLike<number>,
    to: StoredRows,
  ): Promise<void> {
    for (let i = 0; i < places.length; ) {
      const [place, row] = [places[i], rows[i]];
      if (place.batch < 0) {
        to.kinds[row] = NOTHING;
        i++;
        continue;
      }
      const run = runLength(places, i, mostRows);
      let count = 1;
      while (count < run && rows[i + count] === row + count) count++;
      await readChecked(place, (file) => readRunStored(file, place, count, row, to));
      i += count;
    }
  }

  let turn: Promise<unknown> = Promise.resolve();
  /** One after the other: the buffer is shared, and no open shard is closed under a reader. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    const reading = turn.then(work);
    turn = reading.catch(() => {});
    return reading;
  }

  return {
    read: (places, target) => inTurn(() => readAll(places, target)),
    readStored: (places, rows, to) => inTurn(() => readAllStored(places, rows, to)),
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
