/** Neighbouring frames score alike. For a p-value one score of each stretch counts, where scores have let go of each other. */
import type { Random } from '../random.js';
import type { Segment } from '../sequences/index.js';

const MOST_LAG = 200;

/**
 * Least lag in frames at which the autocorrelation of `score` (NaN: left out) inside segments falls under 1/e; at least 1.
 * Where it never does, the longest lag that could be looked at.
 */
export function decorrelationLag(score: ArrayLike<number>, segments: readonly Segment[]): number {
  const known = segments.flatMap(({ start, length }) =>
    Array.from({ length }, (_, i) => score[start + i]).filter((value) => !Number.isNaN(value)),
  );
  const mean = known.reduce((sum, value) => sum + value, 0) / (known.length || 1);
  const variance = known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (known.length || 1);
  const longest = Math.min(MOST_LAG, Math.max(0, ...segments.map(({ length }) => length - 1)));
  if (!(variance > 0)) return 1;
  for (let lag = 1; lag <= longest; lag++) {
    let [sum, pairs] = [0, 0];
    for (const { start, length } of segments)
      for (let i = start; i + lag < start + length; i++) {
        if (Number.isNaN(score[i]) || Number.isNaN(score[i + lag])) continue;
        sum += (score[i] - mean) * (score[i + lag] - mean);
        pairs++;
      }
    if (pairs === 0 || sum / pairs < variance / Math.E) return lag;
  }
  return longest + 1;
}

export interface ThinInput {
  /** Frames to choose from, ascending. */
  frames: ArrayLike<number>;
  series: ArrayLike<number>;
  /** ms */
  time: ArrayLike<number>;
  /** Length of a block, ms; null where there are no times: every frame is a block. */
  blockMs: number | null;
  /** Series of one group overlap in place and share their blocks; default: each series alone. */
  group?: ArrayLike<number>;
}

/** One frame, drawn by chance, of every block of time and group. */
export function thin({ frames, series, time, blockMs, group }: ThinInput, random: Random): Uint32Array {
  const blocks = new Map<string, number[]>();
  for (let i = 0; i < frames.length; i++) {
    const frame = frames[i];
    const place = group ? group[series[frame]] : series[frame];
    const key = blockMs === null ? `${frame}` : `${place} ${Math.floor(time[frame] / blockMs)}`;
    if (!blocks.has(key)) blocks.set(key, []);
    blocks.get(key)!.push(frame);
  }
  return Uint32Array.from(blocks.values(), (block) => block[random.integer(block.length)]).sort();
}
