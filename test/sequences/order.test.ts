import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  advance,
  bijection,
  blockOrder,
  shuffleQuality,
  smallestBlock,
  windowAt,
} from '../../pipeline/sequences/index.js';

const listed = (order: { length: number; at(i: number): number }) =>
  Array.from({ length: order.length }, (_, i) => order.at(i));
const ascending = (n: number) => Array.from({ length: n }, (_, i) => i);

describe('bijection', () => {
  it('is a permutation of 0 .. n-1 for every n up to 300 and several keys', () => {
    for (let n = 1; n <= 300; n++)
      for (const key of ['a', 'b']) {
        const at = bijection(n, key);
        expect(
          ascending(n)
            .map(at)
            .sort((x, y) => x - y),
        ).toEqual(ascending(n));
      }
  });
  it('stays inside and one-to-one on samples of huge ranges', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2 ** 31, max: 2 ** 52 }), fc.string(), (n, key) => {
        const at = bijection(n, key);
        const images = new Set(Array.from({ length: 50 }, (_, i) => at(n - 1 - i)));
        expect(images.size).toBe(50);
        for (const image of images) expect(image >= 0 && image < n && Number.isInteger(image)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
  it('depends on its key and moves neighbours apart', () => {
    const [a, b] = [bijection(1000, 'a'), bijection(1000, 'b')];
    expect(ascending(1000).filter((i) => a(i) === b(i)).length).toBeLessThan(12);
    const jumps = ascending(999).map((i) => Math.abs(a(i + 1) - a(i)));
    expect(jumps.reduce((x, y) => x + y) / 999).toBeGreaterThan(270);
  });
});

describe('blockOrder', () => {
  it('gives every window once, whatever the sizes', () => {
    for (let windows = 1; windows <= 40; windows++)
      for (let blockWindows = 1; blockWindows <= 9; blockWindows++)
        for (let openBlocks = 1; openBlocks <= 4; openBlocks++) {
          const order = blockOrder({ windows, seed: 3, epoch: 1, blockWindows, openBlocks });
          expect(listed(order).sort((a, b) => a - b)).toEqual(ascending(windows));
        }
  });
  it('mixes only the windows of the blocks that are open together, and a short last block comes last', () => {
    const order = listed(blockOrder({ windows: 103, seed: 5, epoch: 0, blockWindows: 10, openBlocks: 3 }));
    for (let g = 0; g < 3; g++) {
      const blocks = new Set(order.slice(g * 30, (g + 1) * 30).map((w) => Math.floor(w / 10)));
      expect(blocks.size).toBe(3);
      expect(blocks.has(10)).toBe(false);
    }
    expect(order.slice(90).filter((w) => w >= 100).length).toBe(3);
  });
  it('depends on seed and epoch alone, in whatever order positions are asked for', () => {
    const options = { windows: 57, seed: 1, epoch: 2, blockWindows: 5, openBlocks: 2 };
    const order = listed(blockOrder(options));
    expect(
      ascending(57)
        .reverse()
        .map((i) => windowAt(options, i))
        .reverse(),
    ).toEqual(order);
    expect(listed(blockOrder({ ...options, epoch: 3 }))).not.toEqual(order);
    expect(listed(blockOrder({ ...options, seed: 2 }))).not.toEqual(order);
  });
  it('resumes at window 10^8 as fast as at 0', () => {
    const options = { windows: 2e8, seed: 1, epoch: 0, blockWindows: 64, openBlocks: 8 };
    const time = (from: number) => {
      const start = performance.now();
      for (let i = 0; i < 2000; i++) windowAt(options, from + i);
      return performance.now() - start;
    };
    time(0);
    const [early, late] = [Math.min(time(0), time(0)), Math.min(time(1e8), time(1e8))];
    expect(late).toBeLessThan(10 * early + 20);
  });
  it('measures how well it shuffles', () => {
    const seeds = ascending(30);
    const mean = (blockWindows: number, openBlocks: number, key: 'correlation' | 'spread') =>
      seeds
        .map((seed) => blockOrder({ windows: 5000, seed, epoch: 0, blockWindows, openBlocks }))
        .reduce((sum, order) => sum + shuffleQuality(order)[key], 0) / seeds.length;
    expect(shuffleQuality({ length: 5000, at: (i) => i })).toMatchObject({
      correlation: expect.closeTo(1, 2),
    });
    expect(Math.abs(mean(16, 16, 'correlation'))).toBeLessThan(0.04); // 4 standard errors of 312 blocks, 30 seeds
    expect(mean(16, 16, 'spread')).toBeGreaterThan(0.85);
    expect(mean(1000, 1, 'spread')).toBeLessThan(0.5);
  });
});

describe('a cursor', () => {
  it('counts on over the end of an epoch and is plain JSON', () => {
    const cursor = { epoch: 0, position: 8 };
    expect(advance(cursor, 1, 10)).toEqual({ epoch: 0, position: 9 });
    expect(advance(cursor, 2, 10)).toEqual({ epoch: 1, position: 0 });
    expect(advance(cursor, 25, 10)).toEqual({ epoch: 3, position: 3 });
    expect(JSON.parse(JSON.stringify(cursor))).toEqual(cursor);
  });
  it('smallestBlock is the least K with K >= (T - s) / s', () => {
    for (let T = 1; T <= 20; T++)
      for (let s = 1; s <= T; s++) {
        const k = smallestBlock(T, s);
        expect(k).toBeGreaterThanOrEqual((T - s) / s);
        if (k > 1) expect(k - 1).toBeLessThan((T - s) / s);
      }
  });
});
