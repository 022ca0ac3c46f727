/** Who fills the rows of a ring: here, the thread that asks. */
import { frameSize } from '../../schemas/arrow/index.js';
import type { FrameBuffers, FrameStore } from '../shards/index.js';

export interface RowReader {
  /** Puts frame `frames[k]` into row `rows[k]`; the frames ascend. */
  read(frames: readonly number[], rows: readonly number[]): Promise<void>;
  close(): Promise<void>;
}

/** Frames read from a store in one call where they must be copied; bounds the staging buffer. */
const STAGED = 16;

/** `to`: all rows of the ring. Straight into them where the store can. */
export function readHere(store: FrameStore, to: FrameBuffers, { capacity }: { capacity: number }): RowReader {
  const { values: size, cells } = frameSize(store.description);
  const row = rowsOf(to, size, cells);
  if (store.readInto) {
    const readInto = store.readInto.bind(store);
    return { read: (frames, rows) => readInto(frames, (k) => row(rows[k])), close: async () => {} };
  }
  const staging = Math.min(STAGED, capacity);
  const staged = { values: new Float32Array(staging * size), valid: new Uint8Array(staging * cells) };
  let turn: Promise<unknown> = Promise.resolve();

  async function copied(frames: readonly number[], rows: readonly number[]): Promise<void> {
    for (let from = 0; from < frames.length; from += staging) {
      const part = frames.slice(from, from + staging);
      await store.read(part, staged);
      part.forEach((_, k) => {
        const { values, valid } = row(rows[from + k]);
        values.set(staged.values.subarray(k * size, (k + 1) * size));
        valid.set(staged.valid.subarray(k * cells, (k + 1) * cells));
      });
    }
  }

  return {
    read(frames, rows) {
      const reading = turn.then(() => copied(frames, rows));
      turn = reading.catch(() => {});
      return reading;
    },
    close: async () => {},
  };
}

/** Row r of the ring's buffers. */
export function rowsOf({ values, valid }: FrameBuffers, size: number, cells: number) {
  return (r: number): FrameBuffers => ({
    values: values.subarray(r * size, (r + 1) * size),
    valid: valid.subarray(r * cells, (r + 1) * cells),
  });
}
