/** Which frames count in metrics and calibration. */
import type { LabelTable } from '../labels/index.js';
import type { FrameIndex } from '../shards/index.js';

/** Readable, labelled, not ignored frames, ascending; with `part`, of those parts of the split only. */
export function judgedFrames(
  index: FrameIndex,
  { label, ignore }: Pick<LabelTable, 'label' | 'ignore'>,
  part?: ArrayLike<number>,
  parts: readonly number[] = [],
): Uint32Array {
  return Uint32Array.from(
    Array.from(index.ok.keys()).filter(
      (f) => index.ok[f] === 1 && label[f] >= 0 && !ignore[f] && (!part || parts.includes(part[f])),
    ),
  );
}
