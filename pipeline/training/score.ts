/**
 * Streaming inference: each frame once through the encoder, a causal head from zero over its last T features, any other
 * over overlapping windows. Used for validation while training and for labelling.
 */
import type { Segment } from '../sequences/index.js';
import { scoreBothWays } from './bothWays.js';
import { encodeFrames } from './encodeFrames.js';
import { type HeadWindow, headLogits } from './headWindows.js';
import type { FrameScore, ScoreInput } from './scoreInput.js';

/** Gives `emit` each wanted frame's score, in frame order. */
export async function scoreFrames(input: ScoreInput, emit: (score: FrameScore) => void): Promise<void> {
  if (!input.model.causal) return scoreBothWays(input, emit);
  const { model, index, wanted } = input;
  const reach = model.stateSize > 0 ? input.contextLength : 1;
  const { frames, position } = neededFrames(input.segments, reach, wanted);
  let history: Remembered[] = [];
  let done = 0;
  for await (const chunk of encodeFrames(input, frames)) {
    const own = Array.from(chunk.frames, (frame, i) => ({
      ...{ frame, position: position[done + i], features: chunk.features(frame) },
    }));
    const line = [...history, ...own];
    const logits = chunkLogits(input, line, own.length, reach);
    for (const [i, { frame, position: at }] of own.entries()) {
      if (wanted && wanted[frame] !== 1) continue;
      const logit = index.ok[frame] === 1 ? logits[i] : Number.NaN;
      emit({ frame, logit, context: Math.min(at + 1, reach), look: chunk.look(frame) });
    }
    history = reach > 1 ? line.slice(1 - reach) : [];
    done += own.length;
    input.onChunk?.(done, frames.length);
  }
}

interface Remembered {
  frame: number;
  /** Place in its segment. */
  position: number;
  /** By member; undefined for a bad frame. */
  features: readonly Float32Array[] | undefined;
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

/** Logit of each of the last `count` of `line`: the head runs from zero over windows that end there. */
function chunkLogits(
  { model, members, index }: ScoreInput,
  line: readonly Remembered[],
  count: number,
  reach: number,
): Float64Array {
  const logits = new Float64Array(count);
  members.forEach((member, m) => {
    const windows = Array.from({ length: count }, (_, i): HeadWindow => {
      const end = line.length - count + i + 1;
      const steps = Math.min(line[end - 1].position + 1, reach);
      const frames = line.slice(Math.max(0, end - steps), end);
      return {
        frames: frames.map(({ frame, features }) => ({ time: index.time[frame], features: features?.[m] })),
      };
    });
    const values = headLogits(model, member, windows, reach);
    for (let i = 0; i < count; i++) logits[i] += values[i * reach + reach - 1] / members.length;
  });
  return logits;
}
