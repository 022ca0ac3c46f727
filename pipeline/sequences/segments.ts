/** Segments: stretches of a series without a gap, found by integer and time arithmetic alone. */
import { TimeError } from '../errors.js';
import type { FrameTimes } from '../shards/index.js';
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
  index: FrameTimes,
  stepMs: number | null,
  { parts }: SegmentOptions = {},
): Segment[] {
  const found: Segment[] = [];
  let start = 0;
  for (const end of index.runs ? endsOfRuns(index, stepMs) : endsOfFrames(index, stepMs)) {
    cut(index.series[start], start, end, parts, found);
    start = end;
  }
  return found;
}

/** The mask `segments` takes: 1 for frames whose part is among `chosen`. */
export function partMask(part: Uint8Array, ...chosen: number[]): Uint8Array {
  return part.map((p) => (chosen.includes(p) ? 1 : 0));
}

/** Adds what takes part of frames start .. end - 1, which no gap divides. */
function cut(
  series: number,
  start: number,
  end: number,
  parts: ArrayLike<number> | undefined,
  found: Segment[],
): void {
  if (!parts) {
    found.push({ series, start, length: end - start });
    return;
  }
  let from = -1;
  for (let frame = start; frame <= end; frame++) {
    const isIn = frame < end && parts[frame] === 1;
    if (isIn && from < 0) from = frame;
    if (isIn || from < 0) continue;
    found.push({ series, start: from, length: frame - from });
    from = -1;
  }
}

/** Where stretches end: each number is one more than the last frame of one and the first of the next. */
function endsOfFrames(index: FrameTimes, stepMs: number | null): number[] {
  const ends: number[] = [];
  for (let frame = 1; frame < index.length; frame++) {
    refuseLostOrder(index, frame);
    if (breaks(index, stepMs, frame)) ends.push(frame);
  }
  if (index.length > 0) ends.push(index.length);
  return ends;
}

/** The same out of the runs of an index: a gap can lie between two, inside one only where all its steps are gaps. */
function endsOfRuns(index: FrameTimes, stepMs: number | null): number[] {
  const ends: number[] = [];
  for (const { start, length } of index.runs ?? []) {
    if (start > 0) {
      refuseLostOrder(index, start);
      if (breaks(index, stepMs, start)) ends.push(start);
    }
    if (length < 2) continue;
    refuseLostOrder(index, start + 1);
    if (breaks(index, stepMs, start + 1)) for (let k = 1; k < length; k++) ends.push(start + k);
  }
  if (index.length > 0) ends.push(index.length);
  return ends;
}

function breaks(index: FrameTimes, stepMs: number | null, frame: number): boolean {
  if (stepMs === null || index.series[frame] !== index.series[frame - 1]) return true;
  return index.time[frame] - index.time[frame - 1] > GAP_STEPS * stepMs;
}

/** Frames listed class by class, or in any order but that of time, cannot become a sequence. */
function refuseLostOrder(index: FrameTimes, frame: number): void {
  const [before, series] = [index.series[frame - 1], index.series[frame]];
  if (series > before || (series === before && index.time[frame] > index.time[frame - 1])) return;
  throw new TimeError(
    `frames are not in the order of time: frame ${frame} of series "${index.seriesNames[series]}" is at ${new Date(index.time[frame]).toISOString()}, the one before it at ${new Date(index.time[frame - 1]).toISOString()}`,
    {
      hint: 'take frames from an ingested dataset, which is in (series, time) order; never class by class',
      fields: { frame, series: index.seriesNames[series] },
    },
  );
}
