import { describe, expect, it } from 'vitest';
import { blockOrder, frameRing, segments, smallestBlock, windows } from '../../pipeline/sequences/index.js';
import { type FrameStore, memoryStore } from '../../pipeline/shards/store.js';
import { description, frameIndex, HOUR, steps } from '../labels/frames.js';

const cells = 12;
/** A store whose frame f holds the value f everywhere; counts reads. */
function store(frames: number): FrameStore & { asked: number[] } {
  const values = Float32Array.from({ length: frames * cells }, (_, i) => Math.floor(i / cells));
  const inner = memoryStore({
    description: description(),
    index: frameIndex({ a: steps('2020-01-01T00:00Z', frames) }),
    values,
  });
  const asked: number[] = [];
  return {
    ...inner,
    asked,
    read: (list, out) => {
      asked.push(...Array.from(list));
      return inner.read(list, out);
    },
  };
}
const range = (start: number, length: number) => Array.from({ length }, (_, i) => start + i);

describe('frameRing', () => {
  it('lends the frames asked for, by row of its own buffers, empty slots as -1', async () => {
    const ring = frameRing(store(20), { capacityFrames: 6 });
    const { rows, release } = await ring.borrow([7, -1, 3, 7]);
    expect(rows[1]).toBe(-1);
    expect(rows[0]).toBe(rows[3]);
    expect([rows[0], rows[2]].map((row) => ring.values[row * cells + 5])).toEqual([7, 3]);
    expect(ring.valid[rows[0] * cells]).toBe(1);
    release();
  });
  it('decodes each frame once while windows slide over it, in memory of one window', async () => {
    const source = store(200);
    const ring = frameRing(source, { capacityFrames: 16 });
    const list = windows(segments(source.index, HOUR), { length: 16, stride: 1 });
    for (let i = 0; i < list.length; i++) {
      const { start, length } = list.at(i);
      const loan = await ring.borrow(range(start, length));
      loan.rows.forEach((row, k) => {
        expect(ring.values[row * cells]).toBe(start + k);
      });
      loan.release();
    }
    expect(ring.reads).toBe(200);
    expect(source.asked).toEqual(range(0, 200));
    expect(ring.values.length).toBe(16 * cells);
  });
  it('reads less than 2 times a frame in shuffled order when K >= (T - s) / s', async () => {
    for (const [T, s, G] of [
      [8, 1, 4],
      [8, 2, 3],
      [12, 5, 2],
      [5, 5, 4],
    ]) {
      const source = store(3000);
      const K = smallestBlock(T, s);
      const list = windows(segments(source.index, HOUR), { length: T, stride: s });
      const order = blockOrder({ windows: list.length, seed: 1, epoch: 0, blockWindows: K, openBlocks: G });
      const ring = frameRing(source, { capacityFrames: G * (T + (K - 1) * s) });
      for (let i = 0; i < order.length; i++) {
        const { start, length } = list.at(order.at(i));
        (await ring.borrow(range(start, length))).release();
      }
      expect(new Set(source.asked).size).toBe(3000);
      const bound = 1 + (T - s) / (K * s);
      expect(ring.reads / 3000).toBeLessThan(Math.min(2, bound + 0.03));
    }
  });
  it('keeps lent frames, refuses more than it holds, and goes on after the loan is given back', async () => {
    const ring = frameRing(store(50), { capacityFrames: 4 });
    const loan = await ring.borrow([1, 2, 3]);
    await expect(ring.borrow([8, 9])).rejects.toMatchObject({ tag: 'ConfigError', fields: { capacity: 4 } });
    expect(Array.from(loan.rows, (row) => ring.values[row * cells])).toEqual([1, 2, 3]);
    const other = await ring.borrow([9]);
    loan.release();
    loan.release();
    const last = await ring.borrow([20, 21, 22]);
    expect(ring.values[other.rows[0] * cells]).toBe(9);
    expect(Array.from(last.rows, (row) => ring.values[row * cells])).toEqual([20, 21, 22]);
  });
  it('serves concurrent loans right', async () => {
    const ring = frameRing(store(100), { capacityFrames: 64 });
    const loans = await Promise.all(range(0, 10).map((i) => ring.borrow(range(i * 3, 20))));
    loans.forEach((loan, i) => {
      expect(Array.from(loan.rows, (row) => ring.values[row * cells])).toEqual(range(i * 3, 20));
    });
    expect(ring.reads).toBe(47);
  });
  it('forgets frames that could not be read and reads them again', async () => {
    const source = store(10);
    const { read } = source;
    let broken = true;
    source.read = async (list, out) => {
      if (broken) throw new Error('disk');
      return read(list, out);
    };
    const ring = frameRing(source, { capacityFrames: 3 });
    await expect(ring.borrow([1, 2, 3])).rejects.toThrow('disk');
    broken = false;
    const { rows } = await ring.borrow([3, 4, 5]);
    expect(Array.from(rows, (row) => ring.values[row * cells])).toEqual([3, 4, 5]);
  });
});
