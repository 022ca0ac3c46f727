/** Timelines and segments as arithmetic, beside the same written out slot by slot. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../pipeline/random.js';
import {
  GAP_STEPS,
  type Segment,
  segments,
  type Timeline,
  type TimelineOptions,
  timeline,
  windows,
} from '../../pipeline/sequences/index.js';
import type { FrameIndex, FrameRun, FrameTimes } from '../../pipeline/shards/index.js';
import { makeBatch } from '../../pipeline/training/batch.js';
import { frameIndex, HOUR } from '../labels/frames.js';

/** Up to four series of up to 30 frames with gaps of 0 to 6 steps, of which every fifth frame is bad. */
function randomIndex(random: Random): FrameIndex {
  const times: Record<string, number[]> = {};
  for (let s = 0; s < 1 + random.integer(4); s++) {
    let time = random.integer(1000) * HOUR;
    times[`s${s}`] = Array.from({ length: 1 + random.integer(30) }, () => {
      time += random.uniform() < 0.15 ? (1 + random.integer(7)) * HOUR : HOUR;
      return time;
    });
  }
  const index = frameIndex(times);
  return { ...index, ok: index.ok.map((_, i) => (i % 5 === 4 ? 0 : 1)) };
}

/** Each slot and each frame looked at on its own. */
function writtenOut(index: FrameIndex, { gaps, longestFill, parts }: TimelineOptions) {
  const [slots, list]: [number[], Segment[]] = [[], []];
  let open: { series: number; start: number } | null = null;
  const close = () => {
    if (open) list.push({ ...open, length: slots.length - open.start });
    open = null;
  };
  for (let f = 0; f < index.length; f++) {
    const isIn = !parts || parts[f] === 1;
    const goesOn = f > 0 && index.series[f] === index.series[f - 1];
    const step = goesOn ? (index.time[f] - index.time[f - 1]) / HOUR : Infinity;
    const empty = step <= GAP_STEPS ? 0 : step - 1;
    if (!isIn || empty > (gaps === 'mask' ? longestFill : 0)) close();
    if (gaps === 'split' && !isIn) slots.push(f);
    if (!isIn) continue;
    if (open) for (let k = 0; k < empty; k++) slots.push(-1);
    open ??= { series: index.series[f], start: slots.length };
    slots.push(f);
  }
  close();
  return { slots, list };
}

const listed = ({ length, frame }: Timeline) => Array.from({ length }, (_, slot) => frame(slot));

/** The longest runs with a constant step, cut at random too. */
function runsOf(index: FrameIndex, random: Random): FrameRun[] {
  const runs: { start: number; length: number }[] = [];
  for (let f = 0; f < index.length; f++) {
    const run = runs.at(-1);
    const step = (i: number) => index.time[i] - index.time[i - 1];
    const sameSeries = run && index.series[f] === index.series[run.start];
    const sameStep = run && (run.length === 1 || step(f) === step(run.start + 1));
    if (run && sameSeries && sameStep && random.uniform() < 0.9) run.length++;
    else runs.push({ start: f, length: 1 });
  }
  return runs;
}

describe('a timeline that lists nothing', () => {
  it('equals the one written out over series, gaps, bad frames and parts', () => {
    for (let seed = 0; seed < 60; seed++) {
      const random = Random.from(seed).key('timeline');
      const index = randomIndex(random);
      const parts = Uint8Array.from(index.time, () => (random.uniform() < 0.85 ? 1 : 0));
      for (const gaps of ['split', 'mask'] as const)
        for (const longestFill of [0, 2, 9])
          for (const chosen of [undefined, parts]) {
            const options = { gaps, longestFill, parts: chosen };
            const found = timeline(index, HOUR, options);
            const { slots, list } = writtenOut(index, options);
            expect(listed(found)).toEqual(slots);
            expect(found.segments).toEqual(list);
            // Slots asked for in no order.
            for (let k = 0; k < 20; k++) {
              const slot = random.integer(slots.length || 1);
              if (slots.length) expect(found.frame(slot)).toBe(slots[slot]);
            }
            const inRuns: FrameTimes = { ...index, runs: runsOf(index, random) };
            expect(timeline(inRuns, HOUR, options).segments).toEqual(list);
          }
    }
  });

  it('refuses runs that are not in the order of time, as it refuses frames', () => {
    const lost = frameIndex({ a: [5 * HOUR, 6 * HOUR, 2 * HOUR, 3 * HOUR] });
    const runs = [
      { start: 0, length: 2 },
      { start: 2, length: 2 },
    ];
    for (const index of [lost, { ...lost, runs }])
      expect(() => segments(index, HOUR)).toThrow(
        expect.objectContaining({ tag: 'TimeError', fields: { frame: 2, series: 'a' } }),
      );
  });

  it('makes windows and batches of a hundred million frames from two runs', () => {
    const half = 5e7;
    let asked = 0;
    const column = (value: (frame: number) => number): ArrayLike<number> =>
      new Proxy([] as number[], {
        get(_, frame) {
          asked++;
          return value(Number(frame));
        },
      });
    const index = {
      length: 2 * half,
      seriesNames: ['a'],
      series: column(() => 0),
      // Three steps are missing between the halves.
      time: column((frame) => (frame < half ? frame : frame + 3) * HOUR),
      ok: column(() => 1),
      runs: [
        { start: 0, length: half },
        { start: half, length: half },
      ],
    };
    const slots = timeline(index, HOUR, { gaps: 'mask', longestFill: 4 });
    const list = windows(slots.segments, { length: 5, stride: 1 });
    expect(list.length).toBe(2 * half + 3 - 4);
    const labels = { label: column((frame) => frame % 2), ignore: column(() => 0) };
    const source = { index, labels, timeline: slots, windows: list, season: false };
    const batch = makeBatch(source, [half - 2, list.length - 1]);
    expect([...batch.frames]).toEqual([half - 2, half - 1].concat([5, 4, 3, 2, 1].map((k) => 2 * half - k)));
    expect([...batch.valid]).toEqual([1, 1, 0, 0, 0, 1, 1, 1, 1, 1]);
    expect(asked).toBeLessThan(200);
  });
});
