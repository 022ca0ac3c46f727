/** Frames once through the encoder of every member, chunk after chunk: what scoring, in whatever order, starts from. */
import type { Encoded, Model } from '../models/index.js';
import { EVALUATION } from '../nn/index.js';
import type { FrameIndex } from '../shards/index.js';
import { type ParameterTree, reshape, softmax, type Tensor, tidy } from '../tensor/index.js';
import type { FrameTensors } from './frames.js';

export interface EncodeInput {
  model: Model;
  members: readonly ParameterTree[];
  frames: FrameTensors;
  index: Pick<FrameIndex, 'ok'>;
  /** Frames in one pass; default by memory. */
  chunk?: number;
  /** Keep where the members looked. */
  attention?: boolean;
  /** Features of frames that were encoded before: these are not read again. */
  carried?: CarriedFeatures;
  signal?: AbortSignal;
}

/** What the encoder said of frames, kept from one call to the next: `[featureCount]` for each member. */
export interface CarriedFeatures {
  get(frame: number): readonly Float32Array[] | undefined;
  /** Called for every frame that is encoded. */
  set(frame: number, features: readonly Float32Array[]): void;
}

/** Where the members looked in one frame, their mean. */
export interface Look {
  /** `[map height * map width]`, sums to 1. */
  map: Float32Array;
  /** Of each tap of the model, `[height * width]` on its own grid; sums to 1. */
  taps: readonly Float32Array[];
  /** Weight of each tap, sums to 1; null where they are not weighed. */
  scale: Float32Array | null;
}

export interface EncodedChunk {
  frames: Int32Array;
  /** By member; undefined for a bad frame. */
  features(frame: number): readonly Float32Array[] | undefined;
  /** Null when not asked for, not encoded in this call, or bad. */
  look(frame: number): Look | null;
}

/** Bytes of the widest activation in one pass. */
const CHUNK_BYTES = 64 * 2 ** 20;

export const chunkOf = (input: Pick<EncodeInput, 'model' | 'chunk'>): number =>
  input.chunk ?? defaultChunk(input.model);

/** `frames` ascend. */
export async function* encodeFrames(input: EncodeInput, frames: Int32Array): AsyncGenerator<EncodedChunk> {
  const { model, members, index, signal } = input;
  const chunk = chunkOf(input);
  for (let start = 0; start < frames.length; start += chunk) {
    signal?.throwIfAborted();
    const some = frames.subarray(start, start + chunk);
    const known = knownFeatures(input, some);
    const fresh = some.filter((frame) => index.ok[frame] === 1 && !known.has(frame));
    const x = fresh.length ? await input.frames.take(fresh) : null;
    const looks = x && input.attention && model.looks ? ([] as Float32Array[]) : null;
    for (const member of x ? members : []) {
      const encoded = encode(model, member, x!, looks !== null);
      addFeatures(known, fresh, encoded.features, model.featureCount);
      if (looks) accumulate(looks, encoded.looks, members.length);
    }
    x?.dispose();
    if (input.carried) for (const frame of fresh) input.carried.set(frame, known.get(frame)!);
    const rows = new Map(Array.from(fresh, (frame, row) => [frame, row]));
    yield {
      frames: some,
      features: (frame) => known.get(frame),
      look: (frame) => {
        const row = rows.get(frame);
        return row === undefined || !looks ? null : lookOf(model, looks, row, fresh.length);
      },
    };
    await new Promise(setImmediate); // let signals and progress through
  }
}

function knownFeatures({ carried, index }: EncodeInput, frames: Int32Array): Map<number, Float32Array[]> {
  const known = new Map<number, Float32Array[]>();
  if (!carried) return known;
  for (const frame of frames) {
    const features = index.ok[frame] === 1 ? carried.get(frame) : undefined;
    if (features) known.set(frame, [...features]);
  }
  return known;
}

/** Members come one after the other, so theirs are added at the end. */
function addFeatures(
  known: Map<number, Float32Array[]>,
  frames: Int32Array,
  features: Float32Array,
  size: number,
): void {
  for (const [row, frame] of frames.entries()) {
    const own = known.get(frame) ?? [];
    known.set(frame, own);
    own.push(features.slice(row * size, (row + 1) * size));
  }
}

function defaultChunk({ floatsPerCell, shape }: Model): number {
  const frameBytes = 4 * shape.height * shape.width * floatsPerCell;
  return Math.max(1, Math.min(256, Math.floor(CHUNK_BYTES / frameBytes)));
}

function encode(model: Model, member: ParameterTree, x: Tensor, withLooks: boolean) {
  const { features, looks } = tidy(() => {
    const encoded = model.encode(member, x, EVALUATION);
    return { features: encoded.features, looks: withLooks ? looksOf(encoded) : [] };
  });
  const read = (t: Tensor) => {
    const values = t.dataSync() as Float32Array;
    t.dispose();
    return values;
  };
  return { features: read(features), looks: looks.map(read) };
}

/** Map, taps, weights of the taps: `[frames, …]` each. */
function looksOf({ map, looks = [], scale }: Encoded): Tensor[] {
  const flat = softmax(reshape(map!, [map!.shape[0], -1]), 1);
  return [flat, ...looks, ...(scale ? [scale] : [])];
}

function accumulate(sums: Float32Array[], looks: readonly Float32Array[], members: number): void {
  for (const [k, look] of looks.entries()) {
    sums[k] ??= new Float32Array(look.length);
    for (let i = 0; i < look.length; i++) sums[k][i] += look[i] / members;
  }
}

function lookOf({ taps }: Model, looks: readonly Float32Array[], row: number, rows: number): Look {
  const own = looks.map((all) => all.subarray((row * all.length) / rows, ((row + 1) * all.length) / rows));
  return { map: own[0], taps: own.slice(1, 1 + taps.length), scale: own[1 + taps.length] ?? null };
}
