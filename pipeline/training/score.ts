/**
 * Streaming inference: each frame once through the encoder, the causal head from zero over its last T features.
 * Used for validation while training and for labelling.
 */
import { seasonFeatures } from '../channels/index.js';
import type { Model } from '../models/index.js';
import { EVALUATION } from '../nn/index.js';
import type { Segment } from '../sequences/index.js';
import type { FrameIndex } from '../shards/index.js';
import { type ParameterTree, reshape, softmax, type Tensor, tensor, tidy } from '../tensor/index.js';
import { SEASON } from './batch.js';
import type { FrameTensors } from './frames.js';

export interface ScoreInput {
  model: Model;
  members: readonly ParameterTree[];
  frames: FrameTensors;
  index: FrameIndex;
  segments: readonly Segment[];
  /** Frames the head sees, T. */
  contextLength: number;
  /** 1 for frames to score, by frame; default all. Others are encoded only where they are context. */
  wanted?: ArrayLike<number>;
  /** Frames in one pass; default by memory. */
  chunk?: number;
  attention?: boolean;
  /** Features of frames that were encoded before: these are not read again. */
  carried?: CarriedFeatures;
  onChunk?(done: number, total: number): void;
  signal?: AbortSignal;
}

/** What the encoder said of frames, kept from one call to the next: `[featureCount]` for each member. */
export interface CarriedFeatures {
  get(frame: number): readonly Float32Array[] | undefined;
  /** Called for every frame that is encoded. */
  set(frame: number, features: readonly Float32Array[]): void;
}

export interface FrameScore {
  frame: number;
  /** Mean logit of the members; NaN for a bad frame. */
  logit: number;
  /** Frames the head has seen, this one included; 1 without a recurrent head. */
  context: number;
  /** Mean of the members' softmax maps `[map height * map width]`; null when not asked for or bad. */
  attention: Float32Array | null;
}

/** Bytes of the widest activation in one pass. */
const CHUNK_BYTES = 64 * 2 ** 20;

/** Gives `emit` each wanted frame's score, in frame order. */
export async function scoreFrames(input: ScoreInput, emit: (score: FrameScore) => void): Promise<void> {
  const { model, members, index, signal } = input;
  const reach = model.stateSize > 0 ? input.contextLength : 1;
  const { frames, position } = neededFrames(input.segments, reach, input.wanted);
  const chunk = input.chunk ?? defaultChunk(model);
  const history = members.map(() => new History(reach, chunk, model.featureCount));
  for (let start = 0; start < frames.length; start += chunk) {
    signal?.throwIfAborted();
    const some = frames.subarray(start, start + chunk);
    const known = knownFeatures(input, some);
    const ok = some.filter((frame) => index.ok[frame] === 1 && !known.has(frame));
    const x = ok.length ? await input.frames.take(ok) : null;
    const logits = new Float64Array(some.length);
    let attention: Float32Array | null = null;
    members.forEach((member, m) => {
      const encoded = x ? encode(model, member, x, Boolean(input.attention)) : null;
      if (encoded) addFeatures(known, ok, encoded.features, model.featureCount);
      history[m].append(some, index.ok, (frame) => known.get(frame)?.[m]);
      const part = headLogits(model, member, history[m], input, some, position.subarray(start), reach);
      part.forEach((logit, i) => {
        logits[i] += logit / members.length;
      });
      attention = accumulate(attention, encoded?.map ?? null, members.length);
    });
    x?.dispose();
    if (input.carried) for (const frame of ok) input.carried.set(frame, known.get(frame)!);
    emitChunk(input, some, ok, position.subarray(start), logits, attention, reach, emit);
    input.onChunk?.(start + some.length, frames.length);
    await new Promise(setImmediate); // let signals and progress through
  }
}

function knownFeatures({ carried, index }: ScoreInput, frames: Int32Array): Map<number, Float32Array[]> {
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

/** Frames to encode, in order, and each one's position in its segment. */
function neededFrames(segments: readonly Segment[], reach: number, wanted?: ArrayLike<number>) {
  const frames: number[] = [];
  const position: number[] = [];
  for (const { start, length } of segments) {
    const needed = new Uint8Array(length);
    for (let k = length - 1, left = 0; k >= 0; k--, left--) {
      if (!wanted || wanted[start + k] === 1) left = reach;
      needed[k] = left > 0 ? 1 : 0;
    }
    for (let k = 0; k < length; k++) {
      if (needed[k] === 0) continue;
      frames.push(start + k);
      position.push(k);
    }
  }
  return { frames: Int32Array.from(frames), position: Int32Array.from(position) };
}

function defaultChunk({ floatsPerCell, shape }: Model): number {
  return Math.max(
    1,
    Math.min(256, Math.floor(CHUNK_BYTES / (4 * shape.height * shape.width * floatsPerCell))),
  );
}

function encode(model: Model, member: ParameterTree, x: Tensor, withMap: boolean) {
  const encoded = tidy(() => {
    const { features, map } = model.encode(member, x, EVALUATION);
    const flat = withMap && map ? softmax(reshape(map, [x.shape[0], -1]), 1) : null;
    return { features, flat };
  });
  const features = encoded.features.dataSync() as Float32Array;
  const map = encoded.flat ? (encoded.flat.dataSync() as Float32Array) : null;
  encoded.features.dispose();
  encoded.flat?.dispose();
  return { features, map };
}

/** The last reach - 1 frames' features and those of the present chunk. */
class History {
  readonly features: Float32Array;
  readonly valid: Uint8Array;
  #filled: number;

  constructor(
    readonly reach: number,
    chunk: number,
    readonly size: number,
  ) {
    this.features = new Float32Array((reach - 1 + chunk) * size);
    this.valid = new Uint8Array(reach - 1 + chunk);
    this.#filled = 0;
  }

  /** The chunk then lies from entry reach - 1 on. */
  append(
    frames: Int32Array,
    ok: Uint8Array,
    featuresOf: (frame: number) => ArrayLike<number> | undefined,
  ): void {
    const keep = this.reach - 1;
    this.features.copyWithin(0, this.#filled * this.size, (this.#filled + keep) * this.size);
    this.valid.copyWithin(0, this.#filled, this.#filled + keep);
    this.#filled = frames.length;
    frames.forEach((frame, i) => {
      const at = keep + i;
      this.valid[at] = ok[frame] === 1 ? 1 : 0;
      const own = this.valid[at] ? featuresOf(frame) : undefined;
      if (own) this.features.set(own, at * this.size);
      else this.features.fill(0, at * this.size, (at + 1) * this.size);
    });
  }
}

/** Logit of each frame of the chunk: the head runs from zero over windows that end there. */
function headLogits(
  model: Model,
  member: ParameterTree,
  history: History,
  { index }: ScoreInput,
  frames: Int32Array,
  position: Int32Array,
  reach: number,
): Float32Array {
  const n = frames.length;
  const size = history.size;
  const features = new Float32Array(n * reach * size);
  const valid = new Float32Array(n * reach);
  const season = model.shape.season > 0 ? new Float32Array(n * reach * SEASON) : null;
  for (let i = 0; i < n; i++) {
    for (let k = Math.max(0, reach - 1 - position[i]); k < reach; k++) {
      const [from, to] = [i + k, i * reach + k];
      features.set(history.features.subarray(from * size, (from + 1) * size), to * size);
      valid[to] = history.valid[from];
      // Frames of a segment follow one another in the index, so the one k places back is known by its number.
      season?.set(seasonFeatures(index.time[frames[i] - (reach - 1 - k)]), to * SEASON);
    }
  }
  const logits = tidy(() => {
    const run = model.head(
      member,
      {
        features: tensor(features, [n, reach, size]),
        valid: tensor(valid, [n, reach]),
        season: season && tensor(season, [n, reach, SEASON]),
        state: null,
      },
      EVALUATION,
    );
    return run.logits;
  });
  const values = logits.dataSync() as Float32Array;
  logits.dispose();
  return Float32Array.from({ length: n }, (_, i) => values[i * reach + reach - 1]);
}

function accumulate(
  sum: Float32Array | null,
  map: Float32Array | null,
  members: number,
): Float32Array | null {
  if (!map) return sum;
  const total = sum ?? new Float32Array(map.length);
  for (let i = 0; i < map.length; i++) total[i] += map[i] / members;
  return total;
}

function emitChunk(
  { model, index, wanted }: ScoreInput,
  frames: Int32Array,
  encoded: Int32Array,
  position: Int32Array,
  logits: Float64Array,
  attention: Float32Array | null,
  reach: number,
  emit: (score: FrameScore) => void,
): void {
  const cells = model.mapGrid.height * model.mapGrid.width;
  let row = 0;
  frames.forEach((frame, i) => {
    const ok = index.ok[frame] === 1;
    const seen = encoded[row] === frame; // both ascend
    const map = seen && attention ? attention.subarray(row * cells, (row + 1) * cells) : null;
    if (seen) row++;
    if (wanted && wanted[frame] !== 1) return;
    const context = Math.min(position[i] + 1, reach);
    emit({ frame, logit: ok ? logits[i] : Number.NaN, context, attention: map });
  });
}
