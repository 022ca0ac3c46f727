/** Frames that a slot takes over from slots which it supersedes: their pixels lie in shards, so no source is needed. */
import { createHash } from 'node:crypto';
import { RecordBatchReader } from 'apache-arrow';
import { frameSize, STORED } from '../../schemas/arrow/index.js';
import type { DatasetDescription, PlannedFrame, Slot } from '../../schemas/records/index.js';
import { type EncodableFrame, frameCrc } from './encode.js';
import { pixels } from './pixels.js';
import { sameSources } from './plan.js';
import { type KeptFrame, readCommit } from './slot.js';
import { storageAt } from './storage/index.js';

/**
 * By time, the frames of `slot` that stand in the shards of `superseded` with the same sources. A shard that is gone or
 * damaged gives none: its frames are decoded again.
 */
export async function keptFrames(
  dir: string,
  description: DatasetDescription,
  slot: Slot,
  superseded: readonly Slot[],
): Promise<Map<number, KeptFrame>> {
  const wanted = new Map(slot.frames.map((frame) => [frame.time, frame]));
  const kept = new Map<number, KeptFrame>();
  for (const before of superseded) {
    const same = before.frames.filter((frame) => isSame(frame, wanted.get(frame.time)));
    if (same.length === 0) continue;
    const found = await readShard(dir, description, before.slot).catch(() => []);
    const times = new Set(same.map(({ time }) => time));
    for (const one of found) if (times.has(one.record.time)) kept.set(one.record.time, one);
  }
  return kept;
}

const isSame = (a: PlannedFrame, b: PlannedFrame | undefined): boolean =>
  b !== undefined && sameSources(a, b);

/** All frames of a committed slot, each checked; an Error where the shard is not as it was committed. */
async function readShard(dir: string, description: DatasetDescription, slot: string): Promise<KeptFrame[]> {
  const commit = await readCommit(dir, slot);
  if (!commit) return [];
  const bytes = await storageAt(dir).read(commit.shard);
  if (createHash('sha256').update(bytes).digest('hex') !== commit.sha256) throw new Error('it has changed');
  const frames = decodeShard(bytes, description);
  return commit.frames.map((record) => ({
    record,
    frame: record.content === null ? null : next(frames, record.time),
  }));
}

function next(frames: Iterator<EncodableFrame>, time: number): EncodableFrame {
  const { value } = frames.next();
  if (value?.time !== time) throw new Error('its frames are not those of its commit');
  return value;
}

/** What `encodeShard` was given. */
function* decodeShard(
  bytes: Uint8Array,
  description: DatasetDescription,
): Generator<EncodableFrame, undefined> {
  const { values: size, cells, maskBytes } = frameSize(description);
  const Stored = STORED[description.dtype].array;
  for (const batch of RecordBatchReader.from(bytes)) {
    const { values, masks, crc } = pixels(batch);
    const times = batch.getChild('time')!;
    for (let row = 0; row < batch.numRows; row++) {
      const stored = new Stored(values.subarray(row * size, (row + 1) * size));
      const mask = masks?.subarray(row * maskBytes, (row + 1) * maskBytes) ?? null;
      if (frameCrc(stored, mask) !== crc[row]) throw new Error(`frame ${row} fails its crc`);
      const valid = Uint8Array.from({ length: cells }, (_, i) => (mask ? (mask[i >> 3] >> (i & 7)) & 1 : 1));
      yield { time: Number(times.get(row)), values: stored, valid };
    }
  }
}
