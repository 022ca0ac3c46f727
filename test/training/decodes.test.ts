/**
 * How often streamed training decodes a frame. In order once: windows of one segment follow one another, and a segment's
 * first frames are nobody else's. Shuffled, again where two blocks of windows meet, which is at most once a frame.
 */
import { describe, expect, it } from 'vitest';
import {
  type FrameLoan,
  frameRing,
  segments,
  smallestBlock,
  windows,
} from '../../pipeline/sequences/index.js';
import { memoryStore } from '../../pipeline/shards/index.js';
import { blocksOf, makeBatch, sampler } from '../../pipeline/training/batch.js';
import { description, frameIndex, HOUR, steps } from '../labels/frames.js';

const FRAMES = 1500;

/** Frames of one cell: one long segment, or fifty short ones of uneven lengths. */
function source(kind: 'long' | 'short', length: number, stride: number) {
  const grid = { width: 1, height: 1, transform: null, crs: 'none' };
  const short = Array.from({ length: 50 }, (_, s) => [`s${s}`, steps('2020-01-01T00:00Z', 11 + (s % 39))]);
  const times = kind === 'long' ? { a: steps('2020-01-01T00:00Z', FRAMES) } : Object.fromEntries(short);
  const index = frameIndex(times);
  const store = memoryStore({
    description: description({ grid }),
    index,
    values: Float32Array.from({ length: index.length }, (_, f) => f),
  });
  const list = segments(index, HOUR);
  const labels = { label: new Int8Array(index.length), ignore: new Uint8Array(index.length) };
  return {
    store,
    columns: {
      ...{ index, labels, season: false },
      timeline: { frame: (slot: number) => slot },
      windows: windows(list, { length, stride }),
    },
  };
}

/** Decodes a frame over an epoch, the next batch borrowed before the present one is given back, as in training. */
async function decodes(
  { store, columns }: ReturnType<typeof source>,
  capacityFrames: number,
  batches: Iterable<number[]>,
) {
  const ring = frameRing(store, { capacityFrames });
  let wrong = 0;
  let lent: FrameLoan | null = null;
  for (const chosen of batches) {
    const { frames } = makeBatch(columns, chosen);
    const next = await ring.borrow(frames);
    wrong += frames.reduce((sum, frame, k) => sum + Number(ring.values[next.rows[k]] !== frame), 0);
    lent?.release();
    lent = next;
  }
  expect(wrong).toBe(0);
  return ring.reads / columns.index.length;
}

function* inOrder(count: number, batch: number): Generator<number[]> {
  for (let i = 0; i < count; i += batch)
    yield Array.from({ length: Math.min(batch, count - i) }, (_, b) => i + b);
}

/** One epoch; what is left over of the last batch comes from its beginning. */
function* shuffled(draw: (step: number) => number[], count: number, batch: number): Generator<number[]> {
  for (let step = 0; step * batch < count; step++)
    yield draw(step).slice(0, Math.min(batch, count - step * batch));
}

const cases = (['long', 'short'] as const).flatMap((kind) =>
  [
    [1, 1],
    [4, 1],
    [8, 1],
    [8, 3],
    [16, 1],
    [16, 5],
    [16, 16],
    [30, 2],
  ].flatMap(([T, s]) => [2, 8].map((batch) => ({ kind, T, s, batch }))),
);

describe('streamed training', () => {
  it.each(cases)('decodes once in order, $kind segments, T $T, stride $s, batch $batch', async (one) => {
    const made = source(one.kind, one.T, one.s);
    const count = made.columns.windows.length;
    expect(await decodes(made, 2 * one.batch * one.T, inOrder(count, one.batch))).toBeLessThanOrEqual(1.05);
  });

  it.each(cases)(
    'decodes at most twice shuffled, $kind segments, T $T, stride $s, batch $batch',
    async (one) => {
      const { kind, T, s, batch } = one;
      const made = source(kind, T, s);
      const list = made.columns.windows;
      for (const blocks of [0, 1, 8]) {
        const ringFrames = 2 * batch * T + blocks * (T + (Math.max(16, smallestBlock(T, s)) - 1) * s);
        const options = { seed: 5, batch, stride: s, ringFrames };
        const draw = sampler(list, options);
        const found = await decodes(made, ringFrames, shuffled(draw, list.length, batch));
        const { blockWindows } = blocksOf(list, options);
        expect(found, `room for ${blocks} blocks of ${blockWindows}`).toBeLessThanOrEqual(2);
        // Where there is room for long blocks: again only where blocks meet.
        if (blocks > 0) expect(found).toBeLessThanOrEqual(1.03 + (T - s) / (blockWindows * s));
      }
    },
  );
});
