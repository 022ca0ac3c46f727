/** The window that ends at each frame: causal, inside its segment, padded in front where the segment has just begun. */
import type { Segment } from '../sequences/index.js';
import { tensor } from '../tensor/index.js';
import type { WindowBatch } from './autoencoder.js';

export interface EndingWindows {
  readonly length: number;
  /** First frame of the segment of each frame. */
  readonly start: Int32Array;
}

export function endingWindows(segments: readonly Segment[], frames: number, length: number): EndingWindows {
  const start = new Int32Array(frames).fill(-1);
  for (const segment of segments) start.fill(segment.start, segment.start, segment.start + segment.length);
  return { length, start };
}

/** Tensors for the windows that end at `ends`; `there`: 1 for frames that count. */
export function windowBatch(
  { length, start }: EndingWindows,
  ends: ArrayLike<number>,
  values: Float32Array,
  features: number,
  there: ArrayLike<number>,
): WindowBatch & { frames: number } {
  const x = new Float32Array(ends.length * length * features);
  const mask = new Float32Array(ends.length * length);
  let frames = 0;
  for (let b = 0; b < ends.length; b++)
    for (let k = 0; k < length; k++) {
      const frame = ends[b] - (length - 1) + k;
      if (frame < start[ends[b]] || there[frame] !== 1) continue;
      mask[b * length + k] = 1;
      x.set(values.subarray(frame * features, (frame + 1) * features), (b * length + k) * features);
      frames++;
    }
  return {
    x: tensor(x, [ends.length, length, features]),
    mask: tensor(mask, [ends.length, length]),
    frames,
  };
}
