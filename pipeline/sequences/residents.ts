/** Which frame sits in which row of a ring; the one unused for longest makes room. */
import { ConfigError } from '../errors.js';

export interface Residents {
  /** Counts a loan of each frame, gives each a row and returns those that must be read. */
  hold(frames: readonly number[]): number[];
  letGo(frames: readonly number[]): void;
  rowOf(frame: number): number;
  /** Takes a frame that could not be read out again. */
  forget(frame: number): void;
}

/** `keep`: rows used before frames nobody holds make room; the rest is for loans that need more at once. */
export function residentRows(capacity: number, keep: number = capacity): Residents {
  const rows = new Map<number, number>(); // frame -> row, least recently used first
  const loans = new Map<number, number>(); // frame -> loans not yet released
  const free = Array.from({ length: capacity }, (_, row) => capacity - 1 - row);

  function makeRoom(): number {
    const row = capacity - free.length < keep ? free.pop() : (leastUsed() ?? free.pop());
    if (row !== undefined) return row;
    throw new ConfigError(`${loans.size} frames are lent and the ring holds ${capacity}`, {
      hint: 'give the ring room for all frames of the windows that are open together',
      fields: { capacity, lent: loans.size },
    });
  }

  /** The row of the frame that nobody holds and that was used longest ago. */
  function leastUsed(): number | undefined {
    for (const [frame, row] of rows) {
      if (loans.has(frame)) continue;
      rows.delete(frame);
      return row;
    }
    return undefined;
  }

  function letGo(frames: readonly number[]): void {
    for (const frame of frames) {
      const left = (loans.get(frame) ?? 0) - 1;
      if (left > 0) loans.set(frame, left);
      else loans.delete(frame);
    }
  }

  return {
    letGo,
    rowOf: (frame: number): number => rows.get(frame) ?? -1,
    /** Takes a frame that could not be read out again. */
    forget(frame: number): void {
      const row = rows.get(frame);
      if (row === undefined) return;
      rows.delete(frame);
      free.push(row);
    },
    /** Counts a loan of each frame, gives each a row and returns those that must be read. */
    hold(frames: readonly number[]): number[] {
      for (const frame of frames) loans.set(frame, (loans.get(frame) ?? 0) + 1);
      const missing: number[] = [];
      try {
        for (const frame of frames) {
          const row = rows.get(frame);
          if (row === undefined) missing.push(frame);
          rows.delete(frame);
          rows.set(frame, row ?? makeRoom());
        }
      } catch (error) {
        for (const frame of missing) this.forget(frame);
        letGo(frames);
        throw error;
      }
      return missing;
    },
  };
}
