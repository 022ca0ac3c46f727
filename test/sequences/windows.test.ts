import { describe, expect, it } from 'vitest';
import {
  partMask,
  type Segment,
  segments,
  type Timeline,
  timeline,
  windowCount,
  windows,
} from '../../pipeline/sequences/index.js';
import { frameIndex, HOUR, steps } from '../labels/frames.js';

const all = (list: Segment[], options: { length: number; stride: number }) => {
  const found = windows(list, options);
  return Array.from({ length: found.length }, (_, i) => found.at(i));
};
/** Gaps after the frames named. */
const withGaps = (count: number, ...after: number[]) => {
  let time = Date.parse('2020-01-01T00:00Z');
  return Array.from({ length: count }, (_, i) => (time += after.includes(i - 1) ? 5 * HOUR : HOUR));
};

describe('segments', () => {
  it('ends at a gap, at the end of a series and at frames of other parts, and nowhere else', () => {
    const index = frameIndex({ a: withGaps(7, 2), b: withGaps(3) });
    expect(segments(index, HOUR)).toEqual([
      { series: 0, start: 0, length: 3 },
      { series: 0, start: 3, length: 4 },
      { series: 1, start: 7, length: 3 },
    ]);
    const parts = [1, 1, 1, 0, 1, 1, 0, 0, 1, 1];
    expect(segments(index, HOUR, { parts })).toEqual([
      { series: 0, start: 0, length: 3 },
      { series: 0, start: 4, length: 2 },
      { series: 1, start: 8, length: 2 },
    ]);
  });
  it('takes a step of up to 1.5 nominal steps as no gap', () => {
    const at = (step: number) => segments(frameIndex({ a: [0, step] }), HOUR).length;
    expect([at(1.5 * HOUR), at(1.5 * HOUR + 1)]).toEqual([1, 2]);
  });
  it('makes every picture without time a segment of its own', () => {
    expect(segments(frameIndex({ a: [0, 1, 2] }), null)).toHaveLength(3);
  });
  it('partMask chooses frames by part', () => {
    expect([...partMask(Uint8Array.from([0, 1, 2, 3, 0]), 0, 1)]).toEqual([1, 1, 0, 0, 1]);
  });
});

describe('windows', () => {
  it('covers every frame of every segment, in order, with as many windows as the formula says', () => {
    for (let length = 1; length <= 6; length++)
      for (let stride = 1; stride <= length; stride++)
        for (let a = 1; a <= 14; a++)
          for (const b of [0, 1, 2, 5, 6, 7, 13]) {
            const list = [a, b].filter((n) => n > 0).map((n, s) => ({ series: s, start: s * a, length: n }));
            const found = all(list, { length, stride });
            const count = (n: number) =>
              n === 0 ? 0 : n <= length ? 1 : Math.ceil((n - length) / stride) + 1;
            expect(found.length).toBe(count(a) + count(b));
            const covered = new Set<number>();
            found.forEach((window, i) => {
              const segment = list[window.series];
              expect(window.start).toBeGreaterThanOrEqual(segment.start);
              expect(window.start + window.length).toBeLessThanOrEqual(segment.start + segment.length);
              expect(window.length).toBe(Math.min(length, segment.length));
              if (i > 0) expect(window.start).toBeGreaterThan(found[i - 1].start);
              for (let f = 0; f < window.length; f++) covered.add(window.start + f);
            });
            expect(covered.size).toBe(a + b);
          }
  });
  it('aligns the last window with the end of its segment', () => {
    expect(all([{ series: 0, start: 0, length: 11 }], { length: 4, stride: 3 }).map((w) => w.start)).toEqual([
      0, 3, 6, 7,
    ]);
    expect(windowCount(10, { length: 4, stride: 3 })).toBe(3);
  });
  it('refuses a stride that would skip frames, and an index outside', () => {
    const list = [{ series: 0, start: 0, length: 9 }];
    expect(() => windows(list, { length: 3, stride: 4 })).toThrow(
      expect.objectContaining({ tag: 'ConfigError', fields: { length: 3, stride: 4 } }),
    );
    expect(() => windows(list, { length: 0, stride: 1 })).toThrow(
      expect.objectContaining({ tag: 'ConfigError' }),
    );
    expect(() => windows(list, { length: 3, stride: 1 }).at(7)).toThrow(RangeError);
    expect(() => windows([], { length: 3, stride: 1 }).at(0)).toThrow(RangeError);
  });
  it('finds a window among a million segments without listing windows', () => {
    const list = Array.from({ length: 100_000 }, (_, s) => ({ series: 0, start: s * 1000, length: 1000 }));
    const found = windows(list, { length: 10, stride: 1 });
    expect(found.length).toBe(100_000 * 991);
    expect(found.at(99_999 * 991 + 990)).toEqual({ series: 0, start: 99_999 * 1000 + 990, length: 10 });
  });
});

const listed = ({ length, frame }: Timeline) => Array.from({ length }, (_, slot) => frame(slot));

describe('timeline', () => {
  const index = frameIndex({ a: withGaps(6, 2), b: steps('2020-01-01T00:00Z', 2) });
  it('with gaps: split has a slot for each frame and ends segments at gaps', () => {
    const found = timeline(index, HOUR, { gaps: 'split', longestFill: 7 });
    expect(listed(found)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(found.segments).toEqual(segments(index, HOUR));
  });
  it('with gaps: mask fills a gap with empty slots, but not a longer one', () => {
    const found = timeline(index, HOUR, { gaps: 'mask', longestFill: 4 });
    expect(listed(found)).toEqual([0, 1, 2, -1, -1, -1, -1, 3, 4, 5, 6, 7]);
    expect(found.segments).toEqual([
      { series: 0, start: 0, length: 10 },
      { series: 1, start: 10, length: 2 },
    ]);
    expect(timeline(index, HOUR, { gaps: 'mask', longestFill: 3 }).segments).toEqual(segments(index, HOUR));
  });
  it('never fills the place of a frame that belongs to another part', () => {
    const parts = [1, 1, 0, 1, 1, 1, 1, 1];
    const found = timeline(index, HOUR, { gaps: 'mask', longestFill: 9, parts });
    expect(found.segments.map((s) => s.length)).toEqual([2, 3, 2]);
  });
});
