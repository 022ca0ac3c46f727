/** Frames out of the ring into a batch: neighbouring rows in one copy, which is half the time of one copy a frame. */
import type { FrameBuffers } from '../shards/index.js';

/** Row `rows[i]` of the ring goes to frame `at + i` of the batches; zeros where it is -1. */
export type CopyRows = (rows: Int32Array, at: number) => void;

/** `size`: numbers of a frame; `cells`: of its mask, 0 where masks are not copied. */
export function rowCopier(from: FrameBuffers, to: FrameBuffers, size: number, cells: number): CopyRows {
  return (rows, at) => {
    for (let i = 0; i < rows.length; ) {
      const count = runLength(rows, i);
      const [row, place] = [rows[i], at + i];
      if (row < 0) {
        to.values.fill(0, place * size, (place + count) * size);
        to.valid.fill(0, place * cells, (place + count) * cells);
      } else {
        to.values.set(from.values.subarray(row * size, (row + count) * size), place * size);
        if (cells > 0) to.valid.set(from.valid.subarray(row * cells, (row + count) * cells), place * cells);
      }
      i += count;
    }
  };
}

/** How many entries from `i` on are neighbouring rows, or empty. */
function runLength(rows: Int32Array, i: number): number {
  const step = rows[i] < 0 ? 0 : 1;
  let count = 1;
  while (i + count < rows.length && rows[i + count] === rows[i] + step * count) count++;
  return count;
}
