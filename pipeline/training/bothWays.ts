/**
 * Scoring with a head that reads both ways: windows of T frames that overlap cover each segment; a frame's logit is the
 * mean of what they say of it, weighed by how far from the window's ends it lies. Windows lie at fixed places of their
 * segment, so the scores do not depend on chunks or on which frames are asked for.
 */
import type { Segment } from '../sequences/index.js';
import { encodeFrames, type Look } from './encodeFrames.js';
import { type HeadWindow, headLogits } from './headWindows.js';
import type { FrameScore, ScoreInput } from './scoreInput.js';

interface Span {
  /** First frame. */
  start: number;
  length: number;
}

interface Row {
  features: readonly Float32Array[] | undefined;
  look: Look | null;
  /** Weighed sum of the windows' logits, and the weights. */
  sum: number;
  weight: number;
  context: number;
}

/** Windows that a frame lies in, where the segment is long enough. */
const OVERLAP = 4;

/** Gives `emit` each wanted frame's score, in frame order. */
export async function scoreBothWays(input: ScoreInput, emit: (score: FrameScore) => void): Promise<void> {
  const { index, wanted, contextLength } = input;
  const spans = overlapping(input.segments, contextLength).filter((span) => isWanted(span, wanted));
  const frames = framesOf(spans);
  const rows = new Map<number, Row>();
  let [next, done] = [0, 0];
  for await (const chunk of encodeFrames(input, frames)) {
    for (const frame of chunk.frames)
      rows.set(frame, {
        ...{ features: chunk.features(frame), look: chunk.look(frame) },
        ...{ sum: 0, weight: 0, context: 0 },
      });
    const last = chunk.frames[chunk.frames.length - 1];
    const from = next;
    while (next < spans.length && spans[next].start + spans[next].length - 1 <= last) next++;
    if (next > from) addLogits(input, spans.slice(from, next), rows);
    const open = spans[next]?.start ?? Number.POSITIVE_INFINITY;
    for (const [frame, { look, sum, weight, context }] of rows) {
      if (frame >= open) break; // in order: a later window has still to speak of this one and the following
      rows.delete(frame);
      if (wanted && wanted[frame] !== 1) continue;
      emit({ frame, logit: index.ok[frame] === 1 ? sum / weight : Number.NaN, context, look });
    }
    done += chunk.frames.length;
    input.onChunk?.(done, frames.length);
  }
}

/** Windows at multiples of a quarter of T from the start of each segment, the last aligned to its end. */
export function overlapping(segments: readonly Segment[], length: number): Span[] {
  const step = Math.max(1, Math.floor(length / OVERLAP));
  return segments.flatMap(({ start, length: whole }) => {
    const last = Math.max(0, whole - length);
    const count = Math.ceil(last / step) + 1;
    return Array.from({ length: count }, (_, i) => ({
      start: start + Math.min(i * step, last),
      length: Math.min(length, whole),
    }));
  });
}

function isWanted({ start, length }: Span, wanted?: ArrayLike<number>): boolean {
  if (!wanted) return true;
  for (let k = 0; k < length; k++) if (wanted[start + k] === 1) return true;
  return false;
}

/** Frames of the spans, each once; spans ascend. */
function framesOf(spans: readonly Span[]): Int32Array {
  const frames: number[] = [];
  for (const { start, length } of spans)
    for (let frame = Math.max(start, (frames.at(-1) ?? -1) + 1); frame < start + length; frame++)
      frames.push(frame);
  return Int32Array.from(frames);
}

function addLogits(input: ScoreInput, spans: readonly Span[], rows: Map<number, Row>): void {
  const { model, members, index, contextLength: time } = input;
  members.forEach((member, m) => {
    const windows = spans.map(({ start, length }): HeadWindow => {
      const frames = Array.from({ length }, (_, k) => start + k);
      return {
        frames: frames.map((frame) => ({
          time: index.time[frame],
          features: rows.get(frame)!.features?.[m],
        })),
      };
    });
    const logits = headLogits(model, member, windows, time);
    spans.forEach(({ start, length }, w) => {
      for (let k = 0; k < length; k++) {
        const row = rows.get(start + k)!;
        const weight = Math.min(k + 1, length - k);
        row.sum += weight * logits[w * time + time - length + k];
        row.weight += weight;
        row.context = Math.max(row.context, length);
      }
    });
  });
}
