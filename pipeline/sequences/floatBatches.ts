/**
 * Batches out of a ring of physical units, copied by the calling thread: for stores without files, and where a ring of
 * stored frames (storedBatches.ts) would be larger than its memory can be.
 */
import { frameSize } from '../../schemas/arrow/index.js';
import type { FrameStore } from '../shards/index.js';
import type { BatchMaker, MadeBatch, MakerOptions } from './batchMaker.js';
import { rowCopier } from './copyRows.js';
import { frameRing } from './ring.js';

export function floatBatches(store: FrameStore, options: MakerOptions): BatchMaker {
  const { frames: most, ahead, masks, ...room } = options;
  const { values: size, cells } = frameSize(store.description);
  const maskCells = masks ? cells : 0;
  const ring = frameRing(store, room);
  const values = new Float32Array((ahead + 1) * most * size);
  const valid = new Uint8Array((ahead + 1) * most * maskCells);
  const copy = rowCopier(ring, { values, valid }, size, maskCells);
  const underWay: Promise<MadeBatch>[] = [];
  let slot = 0;

  async function make(frames: Int32Array, at: number): Promise<MadeBatch> {
    const loan = await ring.borrow(frames);
    copy(loan.rows, at);
    loan.release();
    const end = at + frames.length;
    return {
      values: values.subarray(at * size, end * size),
      valid: masks ? valid.subarray(at * cells, end * cells) : null,
      reads: ring.reads,
    };
  }

  return {
    begin(frames) {
      const making = make(frames, slot * most);
      making.catch(() => {}); // told when its turn comes
      underWay.push(making);
      slot = (slot + 1) % (ahead + 1);
    },
    next: () => underWay.shift()!,
    close: ring.close,
  };
}
