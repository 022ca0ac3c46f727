/** Opens a dataset for reading: frames by index, out of shards by range reads. */
import { frameSize } from '../../schemas/arrow/index.js';
import type { Commit, DatasetDescription } from '../../schemas/records/index.js';
import { readDescription } from './description.js';
import { batchRows } from './encode.js';
import { readFinished } from './finalise.js';
import { commitManifest, type Manifest, readManifest } from './manifest.js';
import { shardReader } from './reader.js';
import { storageAt } from './storage/index.js';
import type { FrameOrigin, FrameStore } from './store.js';

export interface OpenOptions {
  /** File name of a manifest to pin; default: the one the last ingest wrote. */
  manifest?: string;
}

/** A finished dataset: frames in (series, time) order, read by index. */
export interface Dataset extends FrameStore {
  readonly dir: string;
  /** File name of the manifest in use. */
  readonly manifest: string;
  readonly origin: FrameOrigin;
  /** Why a frame is bad; null for a good one. */
  frameReason(frame: number): string | null;
}

/** ConfigError: no dataset, or an ingest that did not finish. Reading: CorruptShardError names the shard. */
export async function openDataset(dir: string, { manifest: pinned }: OpenOptions = {}): Promise<Dataset> {
  const description = await readDescription(dir);
  const name = pinned ?? (await readFinished(dir)).manifest;
  return storeOn(dir, description, name, await readManifest(dir, name));
}

/**
 * The frames of a few commits as a store, without a manifest: what live labelling reads of maps that have just come.
 * `hash` is empty.
 */
export async function openCommits(dir: string, commits: readonly Commit[]): Promise<Dataset> {
  const description = await readDescription(dir);
  return storeOn(dir, description, '', commitManifest(commits, batchRows(description)));
}

function storeOn(dir: string, description: DatasetDescription, name: string, manifest: Manifest): Dataset {
  const storage = storageAt(dir);
  const reader = shardReader(storage, description);
  const { values: size, cells } = frameSize(description);
  const place = (frame: number) => ({
    shard: manifest.shards[manifest.shard[frame]],
    batch: manifest.batch[frame],
    row: manifest.row[frame],
  });
  return {
    dir: storage.address,
    manifest: name,
    description,
    index: manifest.index,
    hash: manifest.hash,
    origin: { address: storage.address, place },
    frameReason: manifest.reason,
    read: (frames, out) =>
      reader.read(Array.from(frames, place), (i) => ({
        values: out.values.subarray(i * size, (i + 1) * size),
        valid: out.valid.subarray(i * cells, (i + 1) * cells),
      })),
    readInto: (frames, target) => reader.read(Array.from(frames, place), target),
    close: reader.close,
  };
}
