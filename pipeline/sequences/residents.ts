/** Which frame sits in which row of a ring; the one given back longest ago makes room. */
import { ConfigError } from '../errors.js';

export interface Held {
  /** Row of each frame asked for; -1 for an empty slot. */
  rows: Int32Array;
  /** Frames that were not there, each once; they must be read into their rows. */
  missing: number[];
}

export interface Residents {
  /** Counts a loan for each entry and gives each frame a row; negative entries are empty slots. ConfigError: no room. */
  hold(frames: ArrayLike<number>): Held;
  /** Gives back what `hold` gave; once. */
  letGo(rows: Int32Array): void;
  rowOf(frame: number): number;
  /** Takes a frame that could not be read out again. */
  forget(frame: number): void;
}

const NONE = -1;
/** Of an entry whose frame has no row yet. */
const UNKNOWN = -2;

/** `keep`: rows used before frames nobody holds make room; the rest is for loans that need more at once. */
export function residentRows(capacity: number, keep: number = capacity): Residents {
  const rowOf = new Map<number, number>();
  const frameIn = new Float64Array(capacity).fill(NONE);
  const loans = new Int32Array(capacity);
  const idle = idleRows(capacity);
  const free = Array.from({ length: capacity }, (_, row) => capacity - 1 - row);

  function lend(row: number): number {
    if (loans[row]++ === 0) idle.remove(row);
    return row;
  }

  /** A row for a frame that has none, lent once; NONE where all are lent. */
  function settle(frame: number): number {
    const row = capacity - free.length < keep ? free.pop()! : (evict() ?? free.pop() ?? NONE);
    if (row === NONE) return NONE;
    rowOf.set(frame, row);
    frameIn[row] = frame;
    loans[row] = 1;
    return row;
  }

  function evict(): number | undefined {
    const row = idle.first();
    if (row === NONE) return undefined;
    idle.remove(row);
    rowOf.delete(frameIn[row]);
    return row;
  }

  function letGo(rows: Int32Array): void {
    for (const row of rows) {
      if (row < 0 || --loans[row] > 0) continue;
      if (frameIn[row] === NONE) free.push(row);
      else idle.add(row);
    }
  }

  function forget(frame: number): void {
    const row = rowOf.get(frame);
    if (row === undefined) return;
    rowOf.delete(frame);
    frameIn[row] = NONE;
    if (loans[row] > 0) return; // free when it is given back
    idle.remove(row);
    free.push(row);
  }

  return {
    letGo,
    forget,
    rowOf: (frame) => rowOf.get(frame) ?? NONE,
    hold(frames) {
      const rows = new Int32Array(frames.length).fill(NONE);
      // Those that are there first, so that none of them makes room for another.
      for (let i = 0; i < frames.length; i++) {
        if (frames[i] < 0) continue;
        const row = rowOf.get(frames[i]);
        rows[i] = row === undefined ? UNKNOWN : lend(row);
      }
      const missing: number[] = [];
      for (let i = 0; i < frames.length; i++) {
        if (rows[i] !== UNKNOWN) continue;
        const row = rowOf.get(frames[i]); // an earlier entry may have brought it
        rows[i] = row === undefined ? settle(frames[i]) : lend(row);
        if (rows[i] === NONE) {
          for (const frame of missing) forget(frame);
          letGo(rows.subarray(0, i));
          letGo(rows.subarray(i).filter((later) => later >= 0));
          throw full(capacity, loans);
        }
        if (row === undefined) missing.push(frames[i]);
      }
      return { rows, missing };
    },
  };
}

function full(capacity: number, loans: Int32Array): ConfigError {
  const lent = loans.reduce((sum, one) => sum + Number(one > 0), 0);
  return new ConfigError(`${lent} frames are lent, more are asked for, and the ring holds ${capacity}`, {
    hint: 'give the ring room for all frames of the windows that are open together',
    fields: { capacity, lent },
  });
}

/** Rows that nobody holds, the one given back longest ago first: a list that is linked in two arrays. */
function idleRows(capacity: number) {
  const next = new Int32Array(capacity + 1).fill(capacity); // entry `capacity` is the list's both ends
  const before = new Int32Array(capacity + 1).fill(capacity);
  return {
    first: () => (next[capacity] === capacity ? NONE : next[capacity]),
    add(row: number): void {
      const last = before[capacity];
      next[last] = row;
      before[row] = last;
      next[row] = capacity;
      before[capacity] = row;
    },
    remove(row: number): void {
      next[before[row]] = next[row];
      before[next[row]] = before[row];
    },
  };
}
