/** Every frame that the watch knows of, by series in the order of time, and how far it has come. Numbers, no pixels. */
import { GAP_STEPS } from '../../pipeline/sequences/index.js';

/** BASE: there before the watch began. OPEN: planned. LABELLED and BAD: in the record. */
export const [BASE, OPEN, LABELLED, BAD] = [0, 1, 2, 3];

export interface KnownFrame {
  series: string;
  /** Milliseconds since 1970, UTC. */
  time: number;
  /** Slot and first source file of the plan in force. */
  slot: string;
  path: string;
  state: number;
  /** False for a frame that is committed as bad; null while nobody has looked. */
  ok: boolean | null;
  /** 1: the latch is on after this frame. */
  on: 0 | 1;
  /** Event of the latch; 0 outside. */
  event: number;
}

export interface KnownFrames {
  find(series: string, time: number): KnownFrame | undefined;
  /** In any order of time; those that come last in their series cost nothing. */
  add(frame: KnownFrame): void;
  /** Up to `most` frames just before `time` with no gap in between, in the order of time. */
  before(series: string, time: number, most: number): KnownFrame[];
  /** Frames of a series in the order of time. */
  of(series: string): readonly KnownFrame[];
  series(): Iterable<string>;
}

export function knownFrames(stepMs: number): KnownFrames {
  const all = new Map<string, KnownFrame[]>();
  const of = (series: string) => all.get(series) ?? [];
  return {
    of,
    series: () => all.keys(),
    find: (series, time) => {
      const frames = of(series);
      const at = firstFrom(frames, time);
      return frames[at]?.time === time ? frames[at] : undefined;
    },
    add: (frame) => {
      const frames = of(frame.series);
      all.set(frame.series, frames);
      const at = firstFrom(frames, frame.time);
      if (at === frames.length) frames.push(frame);
      else frames.splice(at, 0, frame);
    },
    before: (series, time, most) => {
      const frames = of(series);
      const end = firstFrom(frames, time);
      let start = end;
      for (let next = time; start > 0 && end - start < most; next = frames[start].time) {
        if (next - frames[start - 1].time > GAP_STEPS * stepMs) break;
        start--;
      }
      return frames.slice(start, end);
    },
  };
}

/** Position of the first frame at or after `time`. */
function firstFrom(frames: readonly KnownFrame[], time: number): number {
  if (frames.length === 0 || frames[frames.length - 1].time < time) return frames.length;
  let [low, high] = [0, frames.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (frames[middle].time < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
