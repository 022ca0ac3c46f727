/** Windows of frames and labels as plain arrays: all integer work of a step happens here, no tensors. */
import { seasonFeatures } from '../channels/index.js';
import type { LabelTable } from '../labels/index.js';
import {
  blockOrder,
  type Order,
  type ShuffleQuality,
  shuffleQuality,
  smallestBlock,
  type Timeline,
  type Windows,
} from '../sequences/index.js';
import type { FrameIndex, FrameTimes } from '../shards/index.js';

export interface Batch {
  readonly batch: number;
  readonly time: number;
  /** First slot of each window: the order of a run, to be compared. */
  readonly starts: Int32Array;
  /** Frames to encode, window by window, without padding and bad frames. */
  readonly frames: Int32Array;
  /** Number of entries of `frames` in each window. */
  readonly runs: Int32Array;
  /** `[batch, time]`: position in `frames`; -1 for padding, gaps and bad frames. */
  readonly place: Int32Array;
  /** `[batch, time]`, 1 for a frame that exists and is not bad. */
  readonly valid: Float32Array;
  /** `[batch, time]`, 0 or 1. */
  readonly label: Float32Array;
  /** `[batch, time]`, 1 where the label counts in the loss. */
  readonly mask: Float32Array;
  /** Sum of `mask`. */
  readonly count: number;
  /** `[batch, time, 4]`, or null. */
  readonly season: Float32Array | null;
}

/** What batches are made of. Columns may be computed when asked. */
export interface BatchColumns {
  index: Pick<FrameTimes, 'time'> & { readonly ok: ArrayLike<number> };
  labels: { readonly [key in 'label' | 'ignore']: ArrayLike<number> };
  timeline: Pick<Timeline, 'frame'>;
  windows: Windows;
  season: boolean;
}

export interface BatchSource extends BatchColumns {
  index: FrameIndex;
  labels: Pick<LabelTable, 'label' | 'ignore'>;
  timeline: Timeline;
}

/** Numbers of the season features of a frame. */
export const SEASON = 4;

/** True for a frame whose label counts: labelled, not ignored, not bad. */
export function counts({ index, labels }: Pick<BatchColumns, 'index' | 'labels'>, frame: number): boolean {
  return index.ok[frame] === 1 && labels.label[frame] >= 0 && labels.ignore[frame] === 0;
}

/** Windows of one update. */
export const windowsPerStep = ({ batch, accumulate }: { batch: number; accumulate: number }): number =>
  batch * accumulate;

/** The windows numbered `chosen`; shorter ones are padded in front. */
export function makeBatch(source: BatchColumns, chosen: ArrayLike<number>): Batch {
  const { windows, timeline, index, labels } = source;
  const [batch, time] = [chosen.length, windows.windowLength];
  const frames: number[] = [];
  const place = new Int32Array(batch * time).fill(-1);
  const [valid, label, mask] = [0, 1, 2].map(() => new Float32Array(batch * time));
  const [starts, runs] = [new Int32Array(batch), new Int32Array(batch)];
  const season = source.season ? new Float32Array(batch * time * SEASON) : null;
  let count = 0;
  for (let b = 0; b < batch; b++) {
    const { start, length } = windows.at(chosen[b]);
    starts[b] = start;
    for (let k = 0; k < length; k++) {
      const frame = timeline.frame(start + k);
      const at = b * time + time - length + k;
      if (frame < 0) continue;
      if (season) season.set(seasonFeatures(index.time[frame]), at * SEASON);
      if (index.ok[frame] !== 1) continue;
      place[at] = frames.push(frame) - 1;
      valid[at] = 1;
      runs[b]++;
      if (!counts(source, frame)) continue;
      label[at] = labels.label[frame];
      mask[at] = 1;
      count++;
    }
  }
  return {
    batch,
    time,
    starts,
    runs,
    frames: Int32Array.from(frames),
    place,
    valid,
    label,
    mask,
    count,
    season,
  };
}

/** The windows of a batch in `pieces` parts, each with the frames it encodes; all divide by the count of the whole. */
export function piecesOf(whole: Batch, pieces: number) {
  const { time, runs, place, valid, label, mask, season, count } = whole;
  const of = whole.frames.length;
  let from = 0;
  return Array.from({ length: Math.min(pieces, whole.batch) }, (_, i) => {
    const [first, last] = [i, i + 1].map((n) =>
      Math.floor((n * whole.batch) / Math.min(pieces, whole.batch)),
    );
    const to = from + runs.subarray(first, last).reduce((a, b) => a + b, 0);
    const [a, b, start] = [first * time, last * time, from];
    const batch: Batch = {
      batch: last - first,
      time,
      starts: whole.starts.subarray(first, last),
      frames: whole.frames.subarray(from, to),
      runs: runs.subarray(first, last),
      place: place.subarray(a, b).map((at) => (at < 0 ? -1 : at - start)),
      valid: valid.subarray(a, b),
      label: label.subarray(a, b),
      mask: mask.subarray(a, b),
      count,
      season: season?.subarray(a * SEASON, b * SEASON) ?? null,
    };
    from = to;
    return { batch, frames: { from: start, to, of } };
  });
}

export interface SampleOptions {
  seed: number;
  batch: number;
  stride: number;
  /** Frames that the ring of streamed reading holds; null where all lie in memory, so that all windows may be mixed. */
  ringFrames: number | null;
}

/** Streamed reading mixes at most this many windows at a time. */
const MIXED_WINDOWS = 1024;
/** Windows in a block where there is room: the longer, the fewer frames are read twice. */
const LONG_BLOCK = 16;
/** Positions at which the shuffle is measured. */
const QUALITY_SAMPLE = 2000;

/**
 * Blocks of an epoch's order. Streamed reading mixes a part of the windows at a time, as many as the ring holds the frames
 * of beside two batches, so that a frame is read fewer than two times: again only where two blocks meet.
 */
export function blocksOf(windows: Windows, { batch, stride, ringFrames }: Omit<SampleOptions, 'seed'>) {
  const { length, windowLength } = windows;
  if (ringFrames === null) return { windows: length, blockWindows: length, openBlocks: 1 };
  const least = smallestBlock(windowLength, stride);
  const framesOf = (blockWindows: number) => windowLength + (blockWindows - 1) * stride;
  const spare = ringFrames - 2 * batch * windowLength;
  const wanted = Math.max(LONG_BLOCK, least);
  const blockWindows = Math.min(length, spare >= framesOf(wanted) ? wanted : least);
  const held = Math.floor(spare / framesOf(blockWindows));
  const openBlocks = Math.max(1, Math.min(Math.ceil(MIXED_WINDOWS / blockWindows), held));
  return { windows: length, blockWindows, openBlocks };
}

/** How well the first epoch is shuffled. */
export function sampleQuality(windows: Windows, options: SampleOptions): ShuffleQuality {
  const { seed } = options;
  return shuffleQuality(blockOrder({ ...blocksOf(windows, options), seed, epoch: 0 }), QUALITY_SAMPLE);
}

/**
 * Windows of step `step`, a pure function of (seed, step): sample n = step * batch + b is window n mod W of epoch
 * n div W, in that epoch's own order.
 */
export function sampler(windows: Windows, options: SampleOptions) {
  const { seed, batch } = options;
  const blocks = blocksOf(windows, options);
  let [epoch, order]: [number, Order | null] = [-1, null];
  return (step: number): number[] =>
    Array.from({ length: batch }, (_, b) => {
      const n = step * batch + b;
      const now = Math.floor(n / windows.length);
      if (now !== epoch || !order) {
        epoch = now;
        order = blockOrder({ ...blocks, seed, epoch });
      }
      return order.at(n % windows.length);
    });
}
