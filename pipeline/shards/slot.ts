/** Fills one slot: decode its frames, write the shard, commit it. Running it twice, late or side by side changes nothing. */
import { createHash } from 'node:crypto';
import type { StoredArray } from '../../schemas/arrow/index.js';
import {
  Commit,
  type DatasetDescription,
  type PlannedFrame,
  type Series,
  type Slot,
} from '../../schemas/records/index.js';
import {
  BadRasterError,
  ConfigError,
  CorruptShardError,
  SourceChangedError,
  StormreelError,
} from '../errors.js';
import { type EncodableFrame, type ShardBuilder, shardBuilder } from './encode.js';
import { layout } from './layout.js';
import { openSealedJson, sealJson } from './seal.js';
import { isMissing, storageAt } from './storage/index.js';

/** Values `[height, width, band]` as stored, mask `[height, width]`, sha256 of each source file. */
export interface DecodedFrame {
  values: StoredArray;
  valid: Uint8Array;
  sources: string[];
}

/**
 * `into`: where the values may be written, so that they need not be copied there; what it holds is left over. `next`: the
 * frame that is asked for after this one.
 */
export type DecodeFrame = (
  frame: PlannedFrame,
  series: Series,
  description: DatasetDescription,
  options?: { into?: StoredArray; next?: PlannedFrame },
) => Promise<DecodedFrame>;

/** A frame that stands in a shard already; `frame` is null for a bad one. */
export interface KeptFrame {
  record: Commit['frames'][number];
  frame: EncodableFrame | null;
}

export interface SlotOptions {
  decode: DecodeFrame;
  /** A frame that cannot be decoded: `stop` throws, `skip` commits it as bad with its reason. */
  onBadFrame: 'stop' | 'skip';
  attempt: number;
  /** By time: frames that need no decoding (see `keptFrames`). */
  kept?: ReadonlyMap<number, KeptFrame>;
  signal?: AbortSignal;
}

/**
 * Decodes, writes and commits `slot`; returns the commit that stands. BadRasterError and its like under `stop`;
 * SourceChangedError when another attempt committed other bytes; I/O errors as they are, to be tried again.
 */
export async function writeSlot(
  dir: string,
  description: DatasetDescription,
  slot: Slot,
  options: SlotOptions,
): Promise<Commit> {
  const standing = await readCommit(dir, slot.slot);
  if (standing) return standing;
  const series = description.series.find(({ name }) => name === slot.series);
  if (!series)
    throw new ConfigError(
      `slot ${slot.slot} is of series "${slot.series}", which the dataset does not have`,
      {
        hint: 'ingest the sources again into a new folder',
      },
    );
  const good = shardBuilder(description, slot.frames.length);
  try {
    const frames: Commit['frames'] = [];
    for (const [i, planned] of slot.frames.entries()) {
      options.signal?.throwIfAborted();
      const kept = options.kept?.get(planned.time);
      if (kept?.frame) good.add(kept.frame);
      const next = nextDecoded(slot, i, options);
      frames.push(kept?.record ?? (await decodeOne(planned, next, series, description, options, good)));
    }
    const pieces = good.finish();
    const hash = createHash('sha256');
    for (const piece of pieces) hash.update(piece);
    const sha256 = hash.digest('hex');
    const shard = layout.shard(slot.series, slot.slot, sha256);
    await storageAt(dir).replace(shard, pieces);
    const { attempt } = options;
    const { slot: name, series: its } = slot;
    return await settleCommit(dir, {
      slot: name,
      series: its,
      shard,
      sha256,
      rows: good.rows(),
      frames,
      attempt,
    });
  } finally {
    good.free();
  }
}

/** Undefined where the frame after frame `i` stands in a shard already. */
function nextDecoded({ frames }: Slot, i: number, { kept }: SlotOptions): PlannedFrame | undefined {
  const next = frames.at(i + 1);
  return next && !kept?.has(next.time) ? next : undefined;
}

async function decodeOne(
  planned: PlannedFrame,
  next: PlannedFrame | undefined,
  series: Series,
  description: DatasetDescription,
  options: SlotOptions,
  good: ShardBuilder,
): Promise<Commit['frames'][number]> {
  const { time } = planned;
  const own = { into: good.room(), next };
  const { decoded, sources, reason } = await decodeJudged(planned, series, description, options, own);
  if (!decoded) return { time, status: 'bad', reason, sources, content: null };
  const { values, valid } = decoded;
  good.add({ time, values, valid });
  return { time, status: 'ok', reason: null, sources, content: contentHash(values, valid) };
}

export interface JudgedFrame {
  /** Null for a bad frame. */
  decoded: Pick<DecodedFrame, 'values' | 'valid'> | null;
  sources: string[];
  /** Tag and text of what is wrong with a bad frame. */
  reason: string | null;
}

/** A frame, or why it is a bad one; under `stop` a file that cannot be decoded throws. */
export async function decodeJudged(
  planned: PlannedFrame,
  series: Series,
  description: DatasetDescription,
  { decode, onBadFrame }: Pick<SlotOptions, 'decode' | 'onBadFrame'>,
  own: { into?: StoredArray; next?: PlannedFrame } = {},
): Promise<JudgedFrame> {
  try {
    const { values, valid, sources } = await decode(planned, series, description, own);
    // Readable, but nothing was seen: no reason to stop, and nothing that may be labelled, learned from or scored.
    if (!valid.includes(1)) return { decoded: null, sources, reason: NOTHING_SEEN };
    return { decoded: { values, valid }, sources, reason: null };
  } catch (error) {
    if (onBadFrame === 'stop' || !isTheFilesFault(error)) throw error;
    return { decoded: null, sources: [], reason: `${error.tag}: ${error.message}` };
  }
}

const NOTHING_SEEN = 'BadRasterError: no cell holds a value (nodata or NaN everywhere)';

/** Only what the bytes themselves decide may mark a frame as bad. */
const isTheFilesFault = (error: unknown): error is StormreelError =>
  error instanceof BadRasterError ||
  (error instanceof StormreelError && ['BandMismatchError', 'GridMismatchError'].includes(error.tag));

function contentHash(values: StoredArray, valid: Uint8Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return createHash('sha256').update(bytes).update(valid).digest('hex');
}

async function settleCommit(dir: string, commit: Commit): Promise<Commit> {
  const name = layout.commit(commit.slot);
  if (await storageAt(dir).createExclusive(name, sealJson(commit))) return commit;
  const standing = await readCommit(dir, commit.slot);
  if (!standing) return settleCommit(dir, commit); // it was set aside meanwhile
  if (standing.sha256 === commit.sha256) return standing;
  throw new SourceChangedError(
    `slot ${commit.slot} was committed as ${standing.sha256.slice(0, 8)} and now decodes to ${commit.sha256.slice(0, 8)}`,
    {
      hint: 'a source file changed while it was read; run the same stormreel ingest again',
      fields: { slot: commit.slot, committed: standing.sha256, decoded: commit.sha256 },
    },
  );
}

/** The commit of a slot; null when it has none. CorruptShardError when its bytes are not what was written. */
export async function readCommit(dir: string, slot: string): Promise<Commit | null> {
  const storage = storageAt(dir);
  const name = layout.commit(slot);
  let text: string;
  try {
    text = (await storage.read(name)).toString('utf8');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  try {
    return Commit.parse(openSealedJson(text));
  } catch (cause) {
    throw new CorruptShardError(
      `${storage.locate(name)} is damaged, or no commit of format version 1: ${(cause as Error).message}`,
      { hint: `stormreel dataset repair ${dir}`, cause, fields: { slot } },
    );
  }
}
