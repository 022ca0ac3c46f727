/**
 * Maps that do not come. A series is overdue when its last frame came longer ago than a nominal step and the grace; a
 * hole between frames counts as missing a grace after it was seen, since maps may overtake one another. Times of arrival
 * are compared, not times of maps: a constant delay of the whole series is no gap, and an archive may be replayed.
 */
import { GAP_STEPS } from '../../pipeline/sequences/index.js';
import type { LiveGap } from '../../schemas/records/index.js';

interface Hole {
  series: string;
  /** Frames on both sides. */
  after: number;
  before: number;
  due: number;
}

interface Line {
  last: number;
  arrived: number;
  /** First missing time of a gap that goes on. */
  open: number | null;
}

export interface Gaps {
  /** A frame of the record, in any order. */
  came(series: string, time: number, arrived: number): LiveGap[];
  /** A gap that the record holds already. */
  recorded(gap: LiveGap): void;
  /** What is missing now; `all`: holes count at once. `has`: is there a frame about then? */
  overdue(
    now: number,
    has: (series: string, time: number) => boolean,
    options?: { all?: boolean },
  ): LiveGap[];
}

export function gaps({ stepMs, graceMs }: { stepMs: number; graceMs: number }): Gaps {
  const lines = new Map<string, Line>();
  const known = new Set<string>();
  let holes: Hole[] = [];
  const key = (series: string, from: number) => `${series}\0${from}`;
  const closed = (series: string, from: number, to: number, noticed: number): LiveGap => {
    const frames = Math.max(1, Math.round((to - from) / stepMs) + 1);
    return { kind: 'gap', series, from, to, frames, noticed };
  };
  return {
    came: (series, time, arrived) => {
      const line = lines.get(series);
      if (!line) {
        lines.set(series, { last: time, arrived, open: null });
        return [];
      }
      if (time <= line.last) return [];
      const [after, open] = [line.last, line.open];
      Object.assign(line, { last: time, arrived: Math.max(arrived, line.arrived), open: null });
      if (open !== null && time - after > GAP_STEPS * stepMs)
        return [closed(series, open, time - stepMs, arrived)];
      if (open !== null) return [{ ...closed(series, open, open, arrived), frames: 0 }]; // it was only late
      if (time - after > GAP_STEPS * stepMs)
        holes.push({ series, after, before: time, due: arrived + graceMs });
      return [];
    },
    recorded: ({ series, from, to }) => {
      known.add(key(series, from));
      const line = lines.get(series);
      if (line) line.open = to === null ? from : line.open === from ? null : line.open;
    },
    overdue: (now, has, { all = false } = {}) => {
      const found: LiveGap[] = [];
      for (const hole of holes.filter(({ due }) => all || due <= now))
        found.push(...missing(hole, stepMs, has).map(([from, to]) => closed(hole.series, from, to, now)));
      holes = holes.filter(({ due }) => !all && due > now);
      for (const [series, line] of lines) {
        if (line.open !== null || now < line.arrived + stepMs + graceMs) continue;
        line.open = line.last + stepMs;
        found.push({ kind: 'gap', series, from: line.open, to: null, frames: null, noticed: now });
      }
      return found.filter((gap) => !(gap.to !== null && known.has(key(gap.series, gap.from))));
    },
  };
}

/** Runs of missing times inside a hole: late frames may have filled parts of it. */
function missing(
  { series, after, before }: Hole,
  stepMs: number,
  has: (series: string, time: number) => boolean,
): [from: number, to: number][] {
  const runs: [number, number][] = [];
  let open = false;
  for (let time = after + stepMs; time < before - stepMs / 2; time += stepMs) {
    const gone = !has(series, time);
    if (gone && open) runs[runs.length - 1][1] = time;
    if (gone && !open) runs.push([time, time]);
    open = gone;
  }
  return runs;
}
