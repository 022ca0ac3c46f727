/**
 * Reads frames for windows so that each is decoded once while it is in the ring. Windows share frames by reference:
 * a loan names rows of the ring's own buffers, which are allocated once.
 *
 *   const ring = frameRing(store, { capacityFrames: 256 });
 *   const loan = await ring.borrow(frames);   // rows[k] of ring.values is frames[k]
 *   loan.release();
 */
import { ConfigError } from '../errors.js';
import type { FrameStore } from '../shards/index.js';

export interface FrameLoan {
  /** Row in `values` and `valid` of each frame asked for; -1 for an empty slot (frame -1). */
  readonly rows: Int32Array;
  /** The frames may leave the ring again. Call once. */
  release(): void;
}

export interface FrameRing {
  /** `[capacity, height, width, band]`, physical units. */
  readonly values: Float32Array;
  /** `[capacity, height, width]`. */
  readonly valid: Uint8Array;
  readonly capacity: number;
  /** Frames decoded since the ring was made. */
  readonly reads: number;
  /** Lends frames by index (-1 for an empty slot); they stay until released. ConfigError: more frames lent than the ring holds. */
  borrow(frames: ArrayLike<number>): Promise<FrameLoan>;
}

/** Frames read from the store in one call; bounds the staging buffer. */
const STAGED = 16;

export function frameRing(store: FrameStore, { capacityFrames }: { capacityFrames: number }): FrameRing {
  const { width, height } = store.description.grid;
  const cells = width * height;
  const size = cells * store.description.bands.length;
  const capacity = Math.max(1, Math.floor(capacityFrames));
  const values = new Float32Array(capacity * size);
  const valid = new Uint8Array(capacity * cells);
  const staging = Math.min(STAGED, capacity);
  const staged = { values: new Float32Array(staging * size), valid: new Uint8Array(staging * cells) };
  const residents = residentRows(capacity);
  let reads = 0;
  let turn: Promise<unknown> = Promise.resolve();

  async function load(missing: number[]): Promise<void> {
    const placed: number[] = [];
    try {
      for (let from = 0; from < missing.length; from += staging) {
        const part = missing.slice(from, from + staging);
        await store.read(part, staged);
        reads += part.length;
        for (let k = 0; k < part.length; k++) {
          const row = residents.rowOf(part[k]);
          values.set(staged.values.subarray(k * size, (k + 1) * size), row * size);
          valid.set(staged.valid.subarray(k * cells, (k + 1) * cells), row * cells);
          placed.push(part[k]);
        }
      }
    } catch (error) {
      for (const frame of missing) if (!placed.includes(frame)) residents.forget(frame);
      throw error;
    }
  }

  async function lend(frames: ArrayLike<number>): Promise<FrameLoan> {
    const wanted = [...new Set(Array.from(frames))].filter((frame) => frame >= 0);
    const missing = residents.hold(wanted).sort((a, b) => a - b);
    try {
      await load(missing);
    } catch (error) {
      residents.letGo(wanted);
      throw error;
    }
    const rows = Int32Array.from(frames, (frame) => (frame < 0 ? -1 : residents.rowOf(frame)));
    let held = true;
    return {
      rows,
      release() {
        if (held) residents.letGo(wanted);
        held = false;
      },
    };
  }

  return {
    values,
    valid,
    capacity,
    get reads() {
      return reads;
    },
    borrow(frames) {
      const loan = turn.then(() => lend(frames));
      turn = loan.catch(() => {});
      return loan;
    },
  };
}

/** Which frame sits in which row; the one unused for longest makes room. */
function residentRows(capacity: number) {
  const rows = new Map<number, number>(); // frame -> row, least recently used first
  const loans = new Map<number, number>(); // frame -> loans not yet released
  const free = Array.from({ length: capacity }, (_, row) => capacity - 1 - row);

  function makeRoom(): number {
    const row = free.pop();
    if (row !== undefined) return row;
    for (const [frame, resident] of rows) {
      if (loans.has(frame)) continue;
      rows.delete(frame);
      return resident;
    }
    throw new ConfigError(`${loans.size} frames are lent and the ring holds ${capacity}`, {
      hint: 'give the ring room for all frames of the windows that are open together',
      fields: { capacity, lent: loans.size },
    });
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
