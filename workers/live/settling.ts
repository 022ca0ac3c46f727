/**
 * Which files have settled: size and time of change the same in two looks that lie `settleMs` apart by this machine's
 * own clock, so that neither a slow copy nor the clock of a file server lets a half-written map through.
 */
import type { MapFile } from '../../pipeline/raster/index.js';

interface Seen {
  size: number;
  mtimeMs: number;
  /** First seen like this, ms of a clock that never jumps. */
  since: number;
  done: boolean;
}

export interface Settling {
  /** Files that have settled and are not done. `isDone`: known from before this process began. */
  look(files: readonly MapFile[], now: number, isDone: (file: MapFile) => boolean): MapFile[];
  /** They are dealt with until they change. */
  done(file: MapFile): void;
  /** When the next file can have settled; null when none waits. */
  next(): number | null;
}

export function settling(settleMs: number): Settling {
  const seen = new Map<string, Seen>();
  return {
    look: (files, now, isDone) => {
      const there = new Set(files.map(({ path }) => path));
      for (const path of seen.keys()) if (!there.has(path)) seen.delete(path);
      return files.filter((file) => {
        const { path, size, mtimeMs } = file;
        const before = seen.get(path);
        if (before?.size === size && before.mtimeMs === mtimeMs)
          return !before.done && now - before.since >= settleMs;
        const done = !before && isDone(file);
        seen.set(path, { size, mtimeMs, since: now, done });
        return !done && settleMs === 0;
      });
    },
    done: ({ path, size, mtimeMs }) => {
      const own = seen.get(path);
      if (own?.size === size && own.mtimeMs === mtimeMs) own.done = true;
    },
    next: () => {
      let soonest = Number.POSITIVE_INFINITY;
      for (const { since, done } of seen.values()) if (!done) soonest = Math.min(soonest, since + settleMs);
      return Number.isFinite(soonest) ? soonest : null;
    },
  };
}
