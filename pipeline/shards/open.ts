/** Opens a dataset for reading: record batches by range reads, the last used ones kept within a budget. */
import type { FileHandle } from 'node:fs/promises';
import { type AsyncRecordBatchFileReader, type RecordBatch, RecordBatchReader } from 'apache-arrow';
import { frameSize, type StoredArray } from '../../schemas/arrow/index.js';
import type { Commit, DatasetDescription } from '../../schemas/records/index.js';
import { CorruptShardError, isStormreelError } from '../errors.js';
import { RemoteFault } from '../remote/index.js';
import { readDescription } from './description.js';
import { batchRows, frameCrc } from './encode.js';
import { readFinished } from './finalise.js';
import { commitManifest, type Manifest, readManifest } from './manifest.js';
import { type Storage, storageAt } from './storage/index.js';
import type { FrameStore } from './store.js';

export interface OpenOptions {
  /** File name of a manifest to pin; default: the one the last ingest wrote. */
  manifest?: string;
  /** Most bytes of record batches kept in memory. Default 256 MiB; at least one batch is kept. */
  cacheBytes?: number;
}

/** A finished dataset: frames in (series, time) order, read by index. */
export interface Dataset extends FrameStore {
  readonly dir: string;
  /** File name of the manifest in use. */
  readonly manifest: string;
  /** Why a frame is bad; null for a good one. */
  frameReason(frame: number): string | null;
}

/** ConfigError: no dataset, or an ingest that did not finish. Reading: CorruptShardError names the shard. */
export async function openDataset(
  dir: string,
  { manifest: pinned, cacheBytes = 256 << 20 }: OpenOptions = {},
): Promise<Dataset> {
  const description = await readDescription(dir);
  const name = pinned ?? (await readFinished(dir)).manifest;
  return storeOn(dir, description, name, await readManifest(dir, name), cacheBytes);
}

/**
 * The frames of a few commits as a store, without a manifest: what live labelling reads of maps that have just come.
 * `hash` is empty.
 */
export async function openCommits(
  dir: string,
  commits: readonly Commit[],
  { cacheBytes = 64 << 20 }: Pick<OpenOptions, 'cacheBytes'> = {},
): Promise<Dataset> {
  const description = await readDescription(dir);
  return storeOn(dir, description, '', commitManifest(commits, batchRows(description)), cacheBytes);
}

function storeOn(
  dir: string,
  description: DatasetDescription,
  name: string,
  manifest: Manifest,
  cacheBytes: number,
): Dataset {
  const storage = storageAt(dir);
  const batches = batchCache(storage, description, cacheBytes);
  const { values: size, cells } = frameSize(description);
  return {
    dir: storage.address,
    manifest: name,
    description,
    index: manifest.index,
    hash: manifest.hash,
    frameReason: manifest.reason,
    async read(frames, out) {
      for (let i = 0; i < frames.length; i++) {
        const values = out.values.subarray(i * size, (i + 1) * size);
        const valid = out.valid.subarray(i * cells, (i + 1) * cells);
        const frame = frames[i];
        if (manifest.batch[frame] < 0) {
          values.fill(0);
          valid.fill(0);
          continue;
        }
        const batch = await batches.get(manifest.shards[manifest.shard[frame]], manifest.batch[frame]);
        physical(batch, manifest.row[frame], description, values, valid);
      }
    },
    close: batches.close,
  };
}

/** Pixels and masks of one record batch. */
export interface PixelBatch {
  rows: number;
  values: StoredArray;
  /** Bit masks, null when every cell of the shard is valid. */
  masks: Uint8Array | null;
  crc: Uint32Array;
}

/** Views into a record batch; no copy. */
export function pixels(batch: RecordBatch): PixelBatch {
  const child = (name: string) => batch.getChild(name)?.data[0];
  const lists = child('values')!;
  return {
    rows: batch.numRows,
    // Buffers are padded to 8 bytes.
    values: lists.children[0].values.subarray(0, lists.children[0].length),
    masks: (child('valid')?.values as Uint8Array | undefined) ?? null,
    crc: child('crc')!.values,
  };
}

/** Stored row -> physical units, 0 where invalid. */
function physical(
  { values: stored, masks }: PixelBatch,
  row: number,
  description: DatasetDescription,
  values: Float32Array,
  valid: Uint8Array,
): void {
  const { bands } = description;
  const { values: size, maskBytes } = frameSize(description);
  const from = stored.subarray(row * size, (row + 1) * size);
  if (bands.every(({ scale, offset }) => scale === 1 && offset === 0)) values.set(from);
  else
    for (let band = 0; band < bands.length; band++) {
      const { scale, offset } = bands[band];
      for (let i = band; i < size; i += bands.length) values[i] = from[i] * scale + offset;
    }
  valid.fill(1);
  if (!masks) return;
  for (let cell = 0; cell < valid.length; cell++) {
    if ((masks[row * maskBytes + (cell >> 3)] >> (cell & 7)) & 1) continue;
    valid[cell] = 0;
    values.fill(0, cell * bands.length, (cell + 1) * bands.length);
  }
}

/** Bytes that a disk or a copy changed must not be learned from; a record batch is checked once, when it is read. */
function refuseChanged({ rows, values, masks, crc }: PixelBatch, description: DatasetDescription): void {
  const { values: size, maskBytes } = frameSize(description);
  for (let row = 0; row < rows; row++) {
    const mask = masks?.subarray(row * maskBytes, (row + 1) * maskBytes) ?? null;
    if (frameCrc(values.subarray(row * size, (row + 1) * size), mask) !== crc[row])
      throw new Error(`frame ${row} of a record batch fails its crc`);
  }
}

interface OpenShard {
  file: FileHandle;
  reader: AsyncRecordBatchFileReader;
}

const MOST_OPEN_SHARDS = 32;

function batchCache(storage: Storage, description: DatasetDescription, cacheBytes: number) {
  const shards = new Map<string, Promise<OpenShard>>();
  const cached = new Map<string, Promise<PixelBatch>>();
  let bytes = 0;
  const sizeOf = (batch: PixelBatch) => batch.values.byteLength + (batch.masks?.byteLength ?? 0);

  async function get(shard: string, number: number): Promise<PixelBatch> {
    const key = `${shard}#${number}`;
    const hit = cached.get(key);
    if (hit) {
      cached.delete(key);
      cached.set(key, hit);
      return hit;
    }
    const loading = load(shard, number);
    cached.set(key, loading);
    loading.catch(() => cached.delete(key));
    const batch = await loading;
    bytes += sizeOf(batch);
    await evict(key);
    return batch;
  }

  async function load(shard: string, number: number, again = true): Promise<PixelBatch> {
    try {
      const batch = await (await shardAt(shard)).reader.readRecordBatch(number);
      if (!batch) throw new Error(`it has no record batch ${number}`);
      const found = pixels(batch);
      if (found.values.length !== found.rows * frameSize(description).values)
        throw new Error('its frames have another size than the dataset');
      refuseChanged(found, description);
      return found;
    } catch (cause) {
      if (isStormreelError(cause) || cause instanceof RemoteFault) throw cause;
      // The copy on this machine may be damaged where the object is not.
      if (again && (await storage.forget(shard))) {
        await closeShard(shard);
        return load(shard, number, false);
      }
      throw new CorruptShardError(`cannot read shard ${storage.locate(shard)}: ${(cause as Error).message}`, {
        hint: `stormreel dataset repair ${storage.address}, then run the same stormreel ingest again`,
        cause,
        fields: { shard },
      });
    }
  }

  async function shardAt(shard: string): Promise<OpenShard> {
    let opened = shards.get(shard);
    if (!opened) {
      if (shards.size >= MOST_OPEN_SHARDS) await closeShard(shards.keys().next().value!);
      opened = openShard(storage, shard);
      shards.set(shard, opened);
      opened.catch(() => shards.delete(shard));
    }
    return opened;
  }

  async function closeShard(shard: string): Promise<void> {
    const opened = shards.get(shard);
    shards.delete(shard);
    await opened?.then(({ file }) => file.close()).catch(() => {});
  }

  async function evict(kept: string): Promise<void> {
    for (const [key, entry] of cached) {
      if (bytes <= cacheBytes || key === kept) continue;
      cached.delete(key);
      bytes -= sizeOf(await entry);
    }
  }

  async function close(): Promise<void> {
    cached.clear();
    await Promise.all([...shards.keys()].map(closeShard));
  }

  return { get, close };
}

async function openShard(storage: Storage, shard: string): Promise<OpenShard> {
  const file = await storage.open(shard);
  try {
    const reader = (await RecordBatchReader.from(file)) as AsyncRecordBatchFileReader;
    await reader.open();
    return { file, reader };
  } catch (error) {
    await file.close();
    throw error;
  }
}
