/** Segments: stretches of a series without a gap, found by integer and time arithmetic alone. */
import { TimeError } from '../errors.js';
import type { FrameIndex } from '../shards/index.js';
import type { Segment } from './types.js';

/** A step longer than this many nominal steps is a gap. */
export const GAP_STEPS = 1.5;

export interface SegmentOptions {
  /** 1 for frames that take part, e.g. those of one part of a split; a segment ends at a frame that does not. */
  parts?: ArrayLike<number>;
}

/**
 * Segments in frame order. Bad frames stay in their segment, masked by `valid`. `stepMs` null (pictures without
 * times): each frame is a segment. TimeError: times inside a series that do not strictly increase.
 */
export function segments(
  index: FrameIndex,
  stepMs: number | null,
  { parts }: SegmentOptions = {},
): Segment[] {
  refuseLostOrder(index);
  const found: Segment[] = [];
  let start = -1;
  for (let frame = 0; frame <= index.length; frame++) {
    if (start >= 0 && (frame === index.length || breaks(index, stepMs, frame) || isOut(parts, frame))) {
      found.push({ series: index.series[start], start, length: frame - start });
      start = -1;
    }
    if (start < 0 && frame < index.length && !isOut(parts, frame)) start = frame;
  }
  return found;
}

/** The mask `segments` takes: 1 for frames whose part is among `chosen`. */
export function partMask(part: Uint8Array, ...chosen: number[]): Uint8Array {
  return part.map((p) => (chosen.includes(p) ? 1 : 0));
}

const isOut = (parts: ArrayLike<number> | undefined, frame: number): boolean =>
  parts !== undefined && parts[frame] !== 1;

function breaks(index: FrameIndex, stepMs: number | null, frame: number): boolean {
  if (stepMs === null || index.series[frame] !== index.series[frame - 1]) return true;
  return index.time[frame] - index.time[frame - 1] > GAP_STEPS * stepMs;
}

/** Frames listed class by class, or in any order but that of time, cannot become a sequence. */
function refuseLostOrder(index: FrameIndex): void {
  for (let frame = 1; frame < index.length; frame++) {
    const [before, series] = [index.series[frame - 1], index.series[frame]];
    if (series > before || (series === before && index.time[frame] > index.time[frame - 1])) continue;
    throw new TimeError(
      `frames are not in the order of time: frame ${frame} of series "${index.seriesNames[series]}" is at ${new Date(index.time[frame]).toISOString()}, the one before it at ${new Date(index.time[frame - 1]).toISOString()}`,
      {
        hint: 'take frames from an ingested dataset, which is in (series, time) order; never class by class',
        fields: { frame, series: index.seriesNames[series] },
      },
    );
  }
}
