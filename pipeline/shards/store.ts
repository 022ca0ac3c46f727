/**
 * What every later step sees of a dataset: its frames in (series, time) order and a way to read some of them.
 * Labels, splits, sequences, channels, training and labelling depend on this alone, never on files.
 */
import type { DatasetDescription } from '../../schemas/records/index.js';
import type { FramePlace } from './reader.js';

/** One entry a frame, in (series, time) order; the position in these arrays is the frame's index. */
export interface FrameIndex extends FrameTimes {
  /** Index into `seriesNames`. */
  readonly series: Uint32Array;
  /** Milliseconds since 1970, UTC; strictly increasing inside a series. */
  readonly time: Float64Array;
  /** 1: decoded; 0: committed as bad. */
  readonly ok: Uint8Array;
}

/** What sequences need of an index. Its columns may be computed when asked, then `runs` spares going through them. */
export interface FrameTimes {
  readonly length: number;
  readonly seriesNames: readonly string[];
  readonly series: ArrayLike<number>;
  readonly time: ArrayLike<number>;
  /** Stretches of one series with a constant step, which together are all frames in order. Default: times are looked at one by one. */
  readonly runs?: readonly FrameRun[];
}

/** Frames start .. start + length - 1. */
export interface FrameRun {
  readonly start: number;
  readonly length: number;
}

/** Where `read` puts frames: lent buffers, filled from the start. */
export interface FrameBuffers {
  /** `[n, height, width, band]`, physical units; 0 where invalid. */
  values: Float32Array;
  /** `[n, height, width]`, 1 where the cell was observed; all 0 for a bad frame. */
  valid: Uint8Array;
}

/** Where a store's frames lie, so that another thread can read them too. */
export interface FrameOrigin {
  /** An absolute path, or `s3://bucket/prefix`. */
  readonly address: string;
  place(frame: number): FramePlace;
}

export interface FrameStore {
  readonly description: DatasetDescription;
  readonly index: FrameIndex;
  /** Dataset hash, 64 hex digits. */
  readonly hash: string;
  /** Reads frames by index, in the order given. Fastest when indices ascend. */
  read(frames: ArrayLike<number>, out: FrameBuffers): Promise<void>;
  /** Where there is a way without a copy: frame i goes to the start of `target(i)`. */
  readInto?(frames: ArrayLike<number>, target: (i: number) => FrameBuffers): Promise<void>;
  /** Of a dataset on disk. */
  readonly origin?: FrameOrigin;
  close(): Promise<void>;
}

/** A store over arrays in memory, for tests and small derived data; `values` `[frame, height, width, band]`, physical units. */
export function memoryStore(input: {
  description: DatasetDescription;
  index: FrameIndex;
  values: Float32Array;
  valid?: Uint8Array;
  hash?: string;
}): FrameStore {
  const { description, index, values, valid, hash = '0'.repeat(64) } = input;
  const cells = description.grid.width * description.grid.height;
  const size = cells * description.bands.length;
  return {
    description,
    index,
    hash,
    async read(frames, out) {
      for (let i = 0; i < frames.length; i++) {
        const frame = frames[i];
        out.values.set(values.subarray(frame * size, (frame + 1) * size), i * size);
        if (!index.ok[frame]) out.valid.fill(0, i * cells, (i + 1) * cells);
        else if (valid) out.valid.set(valid.subarray(frame * cells, (frame + 1) * cells), i * cells);
        else out.valid.fill(1, i * cells, (i + 1) * cells);
      }
    },
    async close() {},
  };
}
