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
import type { FrameBuffers, FrameStore } from '../shards/index.js';
import { rowCopier } from './copyRows.js';
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
  /** Room for whole batches, `[copies, ...]`, when `RingOptions.copies` asks for it. */
  readonly copies: FrameBuffers;
  /** Copies lent rows to `copies` from frame `at` on, zeros for -1; the threads do it where there are any. */
  copy(rows: Int32Array, at: number): Promise<void>;
  /** Ends the threads; loans that are still awaited fail. The store stays the caller's. */
  close(): Promise<void>;
}

export interface RingOptions {
  capacityFrames: number;
  /** Frames kept while nobody holds them; default all. Rows beyond are touched only when more are lent at once. */
  keepFrames?: number;
  /** Reader threads; default 0. A store that has no files is read by the calling thread all the same. */
  threads?: number;
  /** Frames to make room for in `copies`, and whether their masks are copied too; default none. */
  copies?: { frames: number; masks: boolean };
}

export function frameRing(
  store: FrameStore,
  { capacityFrames, keepFrames, threads = 0, copies: room = { frames: 0, masks: false } }: RingOptions,
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
  const maskCells = room.masks ? cells : 0;
  const copies = {
    values: new Float32Array(new Memory(4 * room.frames * size)),
    valid: new Uint8Array(new Memory(room.frames * maskCells)),
  };
  const reader: RowReader =
    readers > 0 && store.origin
      ? readInThreads(store.description, store.origin, { rows, copies, maskCells }, readers)
      : readHere(store, rows, { capacity, copy: rowCopier(rows, copies, size, maskCells) });
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
    copies,
    copy: reader.copy,
    threads: readers,
    get reads() {
      return reads;
    },
    async borrow(frames) {
      const wanted = distinct(frames);
      load(residents.hold(wanted).sort((a, b) => a - b));
      try {
        await all(wanted, underWay);
      } catch (error) {
        residents.letGo(wanted);
        throw error;
      }
      let held = true;
      return {
        rows: Int32Array.from(frames, (frame) => (frame < 0 ? -1 : residents.rowOf(frame))),
        release() {
          if (held) residents.letGo(wanted);
          held = false;
        },
      };
    },
    close: reader.close,
  };
}

function distinct(frames: ArrayLike<number>): number[] {
  const found = new Set<number>();
  for (let i = 0; i < frames.length; i++) if (frames[i] >= 0) found.add(frames[i]);
  return [...found];
}

/** Waits for the reads of `frames` that are under way. */
async function all(frames: readonly number[], underWay: ReadonlyMap<number, Promise<void>>): Promise<void> {
  if (underWay.size === 0) return;
  const reads = new Set<Promise<void>>();
  for (const frame of frames) {
    const reading = underWay.get(frame);
    if (reading) reads.add(reading);
  }
  // All of them, so that no row is given up while a thread still writes to it.
  const results = await Promise.allSettled(reads);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
