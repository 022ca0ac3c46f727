/**
 * Reads frames for windows so that each is decoded once while it is in the ring. Windows share frames by reference:
 * a loan names rows of the ring's own buffers, which are allocated once. With reader threads, frames borrowed early are
 * decoded while the caller computes; who reads changes nothing in what is lent or in which order.
 *
 *   const ring = frameRing(store, { capacityFrames: 256, threads: 2 });
 *   const next = ring.borrow(frames);         // reading begins
 *   const loan = await next;                  // rows[k] of ring.values is frames[k]
 *   loan.release();
 *   await ring.close();
 */
import type { FrameStore } from '../shards/index.js';
import { residentRows } from './residents.js';
import { type RowReader, readHere } from './rowReader.js';
import { readInThreads } from './threads.js';

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
  /** Threads that read; 0 where the calling one does. */
  readonly threads: number;
  /** Lends frames by index (-1 for an empty slot); they stay until released. ConfigError: more frames lent than the ring holds. */
  borrow(frames: ArrayLike<number>): Promise<FrameLoan>;
  /** Ends the threads; loans that are still awaited fail. The store stays the caller's. */
  close(): Promise<void>;
}

export interface RingOptions {
  capacityFrames: number;
  /** Frames kept while nobody holds them; default all. Rows beyond are touched only when more are lent at once. */
  keepFrames?: number;
  /** Reader threads; default 0. A store that has no files is read by the calling thread all the same. */
  threads?: number;
}

export function frameRing(
  store: FrameStore,
  { capacityFrames, keepFrames, threads = 0 }: RingOptions,
): FrameRing {
  const { width, height } = store.description.grid;
  const cells = width * height;
  const size = cells * store.description.bands.length;
  const capacity = Math.max(1, Math.floor(capacityFrames));
  const readers = store.origin ? threads : 0;
  const Memory = readers > 0 ? SharedArrayBuffer : ArrayBuffer;
  const values = new Float32Array(new Memory(4 * capacity * size));
  const valid = new Uint8Array(new Memory(capacity * cells));
  const rows = { values, valid };
  const reader: RowReader =
    readers > 0 && store.origin
      ? readInThreads(store.description, store.origin, rows, readers)
      : readHere(store, rows, { capacity });
  const residents = residentRows(capacity, keepFrames);
  const underWay = new Map<number, Promise<void>>(); // frame -> the read that brings it
  let reads = 0;

  function load(missing: number[]): void {
    if (missing.length === 0) return;
    const reading = reader.read(missing, missing.map(residents.rowOf)).then(
      () => {
        reads += missing.length;
        for (const frame of missing) underWay.delete(frame);
      },
      (error) => {
        for (const frame of missing) {
          underWay.delete(frame);
          residents.forget(frame);
        }
        throw error;
      },
    );
    reading.catch(() => {}); // told to those who wait for it
    for (const frame of missing) underWay.set(frame, reading);
  }

  return {
    values,
    valid,
    capacity,
    threads: readers,
    get reads() {
      return reads;
    },
    async borrow(frames) {
      const { rows: lent, missing } = residents.hold(frames);
      load(missing.sort((a, b) => a - b));
      try {
        await all(frames, underWay);
      } catch (error) {
        residents.letGo(lent);
        throw error;
      }
      let held = true;
      return {
        rows: lent,
        release() {
          if (held) residents.letGo(lent);
          held = false;
        },
      };
    },
    close: reader.close,
  };
}

/** Waits for the reads of `frames` that are under way. */
async function all(frames: ArrayLike<number>, underWay: ReadonlyMap<number, Promise<void>>): Promise<void> {
  if (underWay.size === 0) return;
  const reads = new Set<Promise<void>>();
  for (let i = 0; i < frames.length; i++) {
    const reading = underWay.get(frames[i]);
    if (reading) reads.add(reading);
  }
  // All of them, so that no row is given up while a thread still writes to it.
  const results = await Promise.allSettled(reads);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
