import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinLabels, type LabelTable } from '../../pipeline/labels/index.js';
import {
  EMBARGO,
  footprintsMeet,
  makeSplit,
  NONE,
  type SplitFrames,
  TEST,
  TRAIN,
  VALIDATION,
} from '../../pipeline/sequences/index.js';
import type { FrameIndex } from '../../pipeline/shards/store.js';
import { LabelsConfig, SplitConfig } from '../../schemas/config/index.js';
import type { DatasetDescription, Footprint } from '../../schemas/records/index.js';
import { DAY, description, frameIndex, HOUR, series, steps } from '../labels/frames.js';

function refusal(work: () => unknown) {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was refused');
}
function frames(
  times: Record<string, number[]>,
  stepMs: number,
  more: Partial<DatasetDescription> = {},
): SplitFrames {
  const list = Object.keys(times).map((name) => series(name));
  return {
    description: description({ stepMs, series: list, ...more }),
    index: frameIndex(times),
    hash: 'd'.repeat(64),
  };
}
/** Labels 1 for the frames where `storm` says so. */
function labelled(
  { description, index }: { description: DatasetDescription; index: FrameIndex },
  storm: (frame: number) => boolean,
): LabelTable {
  const rows = Array.from(index.time, (time, f) => ({
    time,
    label: storm(f) ? (1 as const) : (0 as const),
    series: index.seriesNames[index.series[f]],
    event: null,
    ignore: 0 as const,
    lat: Number.NaN,
    lon: Number.NaN,
    where: '',
  }));
  return joinLabels({ description, index }, rows, LabelsConfig.parse({ file: 'x.csv' }));
}
const split = (config: SplitConfig) => SplitConfig.parse(config);
const shortest = (store: SplitFrames, part: Uint8Array, a: number, b: number) => {
  let least = Infinity;
  for (let i = 0; i < part.length; i++)
    for (let j = 0; j < part.length; j++)
      if (part[i] === a && part[j] === b)
        least = Math.min(least, Math.abs(store.index.time[i] - store.index.time[j]));
  return least;
};
const count = (part: Uint8Array, wanted: number) => part.filter((p) => p === wanted).length;

describe('makeSplit by dates', () => {
  const store = frames({ a: steps('2000-01-01T00:00Z', 100, DAY) }, DAY);
  const often = labelled(store, (f) => f % 7 === 0);
  const config = split({
    by: 'dates',
    train: ['2000-01-01', '2000-02-10'],
    validation: ['2000-02-10', '2000-02-25'],
    test: ['2000-02-25', '2000-03-20'],
    embargo: '0h',
  });
  it('keeps the window length between parts; training gives way, the test part stays whole', () => {
    const { part, embargoMs, notes, leaky } = makeSplit(store, often, config, { windowLength: 4 });
    expect(embargoMs).toBe(4 * DAY);
    expect(leaky).toBe(false);
    for (const [a, b] of [
      [TRAIN, VALIDATION],
      [VALIDATION, TEST],
    ])
      expect(shortest(store, part, a, b)).toBe(4 * DAY);
    expect([TRAIN, VALIDATION, TEST, EMBARGO, NONE].map((p) => count(part, p))).toEqual([37, 12, 24, 6, 21]);
    expect(notes[0]).toContain('train 37 frames (6 storm, 6 events)');
  });
  it('adds the configured embargo to the window', () => {
    expect(
      makeSplit(store, often, { ...config, embargo: '10d' } as SplitConfig, { windowLength: 4 }).embargoMs,
    ).toBe(14 * DAY);
    expect(
      makeSplit(store, often, { ...config, embargo: '1h' } as SplitConfig, { windowLength: 4 }).embargoMs,
    ).toBe(4 * DAY + DAY / 24);
    const far = makeSplit(store, often, { ...config, embargo: '2d' } as SplitConfig, {
      windowLength: 4,
    }).part;
    for (const [a, b] of [
      [TRAIN, VALIDATION],
      [VALIDATION, TEST],
    ])
      expect(shortest(store, far, a, b)).toBeGreaterThanOrEqual(6 * DAY);
    const negative = { ...config, embargo: '-2d' } as SplitConfig;
    expect(makeSplit(store, often, negative, { windowLength: 4 }).embargoMs).toBe(4 * DAY);
  });
  it('refuses overlapping, empty and unreadable ranges and an empty part', () => {
    const range = (test: [string, string]) =>
      refusal(() => makeSplit(store, often, { ...config, test } as SplitConfig, { windowLength: 1 }));
    expect(range(['2000-02-01', '2000-03-01'])).toMatchObject({
      tag: 'LeakError',
      fields: { parts: expect.arrayContaining(['test']) },
    });
    expect(range(['2000-03-01', '2000-03-01'])).toMatchObject({
      tag: 'ConfigError',
      fields: { part: 'test' },
    });
    expect(range(['2000-03-01T00:00', '2000-03-11'])).toMatchObject({
      tag: 'TimeError',
      fields: { fault: 'no zone' },
    });
    expect(range(['2010-03-01', '2010-03-11'])).toMatchObject({
      tag: 'ConfigError',
      fields: { part: 'test', counts: { test: 0 } },
    });
  });
  it('refuses a part that trains or tests with one class', () => {
    const early = labelled(store, (f) => f > 2 && f < 9);
    expect(refusal(() => makeSplit(store, early, config, { windowLength: 1 }))).toMatchObject({
      tag: 'ConfigError',
      fields: { part: 'test', storm: 0, frames: 24 },
    });
    const always = labelled(store, (f) => f < 45 || f === 60);
    expect(refusal(() => makeSplit(store, always, config, { windowLength: 1 }))).toMatchObject({
      tag: 'ConfigError',
      fields: { part: 'train', storm: expect.any(Number) },
    });
  });
  it('hashes dataset, labels and parts', () => {
    const hash = (s: SplitFrames, l: LabelTable | null, w: number) =>
      makeSplit(s, l, config, { windowLength: w }).hash;
    const first = hash(store, often, 4);
    expect(hash(store, often, 4)).toBe(first);
    const others = [
      hash(store, often, 5),
      hash({ ...store, hash: 'e'.repeat(64) }, often, 4),
      hash(
        store,
        labelled(store, (f) => f % 6 === 0),
        4,
      ),
      hash(store, null, 4),
    ];
    expect(new Set([first, ...others]).size).toBe(5);
  });
});

describe('makeSplit by blocks', () => {
  const store = frames({ a: steps('2000-01-01T00:00Z', 1096, DAY) }, DAY);
  const labels = labelled(store, (f) => f % 20 < 3);
  it('cuts calendar years and tests each frame in exactly one fold', () => {
    const tested = new Uint8Array(1096);
    for (let fold = 0; fold < 3; fold++) {
      const { part } = makeSplit(
        store,
        labels,
        split({ by: 'blocks', blocks: 'years', fold, validation: 0, embargo: '10d' }),
        { windowLength: 1 },
      );
      part.forEach((p, f) => {
        if (p === TEST) tested[f]++;
      });
      expect(shortest(store, part, TRAIN, TEST)).toBeGreaterThanOrEqual(10 * DAY);
    }
    expect([...new Set(tested)]).toEqual([1]);
  });
  it('gives an event across a boundary to the fold in which it begins, whole', () => {
    const winter = labelled(store, (f) => f % 50 === 7 || (f >= 363 && f <= 369)); // 29 December to 4 January
    const foldOf = (fold: number) =>
      makeSplit(store, winter, split({ by: 'blocks', blocks: 'years', fold, validation: 0, embargo: '2d' }), {
        windowLength: 1,
      });
    const inEvent = (part: Uint8Array) => [...new Set(part.subarray(363, 370))];
    expect(inEvent(foldOf(0).part)).toEqual([TEST]);
    expect(inEvent(foldOf(1).part)).toEqual([EMBARGO]);
    expect(inEvent(foldOf(2).part)).toEqual([TRAIN]);
    expect(foldOf(0).notes.join()).toContain('1 events across a boundary');
  });
  it('cuts k spans of equal length and validates on the end of the rest', () => {
    for (const fold of [0, 1, 3]) {
      const { part } = makeSplit(
        store,
        labels,
        split({ by: 'blocks', blocks: 4, fold, validation: 0.25, embargo: '0h' }),
        { windowLength: 1 },
      );
      const test = [...part.keys()].filter((f) => part[f] === TEST);
      expect(Math.abs(test.length - 274)).toBeLessThan(4);
      const validation = [...part.keys()].filter((f) => part[f] === VALIDATION);
      expect(Math.abs(validation.length - 205)).toBeLessThan(6);
      const lastTrain = Math.max(...[...part.keys()].filter((f) => part[f] === TRAIN));
      expect(Math.min(...validation)).toBeGreaterThan(lastTrain);
    }
  });
  it('refuses a fold that does not exist and frames without times', () => {
    const fold = split({ by: 'blocks', blocks: 'years', fold: 3, validation: 0, embargo: '0h' });
    expect(refusal(() => makeSplit(store, labels, fold, { windowLength: 1 }))).toMatchObject({
      tag: 'ConfigError',
      fields: { fold: 3, blocks: 3 },
    });
    const pictures = { ...store, description: { ...store.description, time: 'none' as const, stepMs: null } };
    expect(
      refusal(() => makeSplit(pictures, null, { ...fold, fold: 0 } as SplitConfig, { windowLength: 1 })),
    ).toMatchObject({ tag: 'ConfigError', fields: { by: 'blocks' } });
  });
  it('never lets parts come nearer than the embargo nor cuts an event, whatever the storms', () => {
    const hourly = frames({ a: steps('2000-01-01T00:00Z', 150), b: steps('2000-01-01T03:00Z', 120) }, HOUR);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(269), fc.integer({ min: 1, max: 12 })), { minLength: 6, maxLength: 14 }),
        fc.integer({ min: 2, max: 4 }),
        fc.nat(3),
        fc.integer({ min: 1, max: 8 }),
        fc.constantFrom(0, 0.3),
        (storms, blocks, fold, windowLength, validation) => {
          const events = labelled(hourly, (f) =>
            storms.some(([from, length]) => f >= from && f < from + length),
          );
          let made: ReturnType<typeof makeSplit>;
          try {
            made = makeSplit(
              hourly,
              events,
              split({ by: 'blocks', blocks, fold: fold % blocks, validation, embargo: '0h' }),
              { windowLength },
            );
          } catch (error) {
            expect(error).toMatchObject({ tag: 'ConfigError' });
            return;
          }
          for (const [a, b] of [
            [TRAIN, VALIDATION],
            [TRAIN, TEST],
            [VALIDATION, TEST],
          ])
            expect(shortest(hourly, made.part, a, b)).toBeGreaterThanOrEqual(windowLength * HOUR);
          events.eventNames.forEach((_, e) => {
            expect(new Set(made.part.filter((_, f) => events.event[f] === e)).size).toBe(1);
          });
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('makeSplit by series', () => {
  const times = steps('2026-03-25T00:00Z', 10);
  const box = (west: number, east = west + 32): Footprint => [west, 36, east, 68];
  const tiles = (...places: [string, Footprint | null][]) =>
    frames(Object.fromEntries(places.map(([name]) => [name, times])), HOUR, {
      grid: { width: 32, height: 32, transform: null, crs: 'EPSG:4326' },
      sourceGrid: { width: 360, height: 181, transform: [-0.5, 1, 0, 90.5, 0, -1], crs: 'EPSG:4326' },
      series: places.map(([name, footprint]) => series(name, { footprint })),
    });
  const half = (store: SplitFrames) => labelled(store, (f) => f % 10 < 4);
  const config = split({ by: 'series', train: ['t*'], validation: [], test: ['x*'], embargo: '0h' });

  it('takes series by pattern and leaves the others out', () => {
    const store = tiles(['t1', box(0)], ['t2', box(6)], ['u', box(60)], ['x1', box(100)]);
    const { part, notes, leaky } = makeSplit(store, half(store), config, { windowLength: 3 });
    expect([TRAIN, TEST, NONE].map((p) => count(part, p))).toEqual([20, 10, 10]);
    expect([leaky, notes.join().includes('no two parts hold series of one place')]).toEqual([false, true]);
  });
  it('refuses footprints that overlap or only touch, over the date line too', () => {
    for (const [train, test] of [
      [box(0), box(20)],
      [box(0), box(32)],
      [box(340), box(0)],
      [box(328), box(0)],
      [box(-20), box(330)],
    ]) {
      const store = tiles(['t1', train], ['x1', test]);
      expect(refusal(() => makeSplit(store, half(store), config, { windowLength: 3 }))).toMatchObject({
        tag: 'LeakError',
        fields: { series: ['t1', 'x1'], parts: ['train', 'test'], apartMs: 0, embargoMs: 3 * HOUR },
      });
    }
    const apart = tiles(['t1', box(0)], ['x1', box(32.001)]);
    expect(makeSplit(apart, half(apart), config, { windowLength: 3 }).leaky).toBe(false);
  });
  it('accepts one place on both sides when times are apart by the embargo', () => {
    const store = tiles(['t1', box(0)], ['x1', box(10)]);
    const later = (hours: number) => ({
      ...store,
      index: frameIndex({ t1: times, x1: times.map((t) => t + hours * HOUR) }),
    });
    expect(makeSplit(later(12), half(later(12)), config, { windowLength: 3 }).part[15]).toBe(TEST);
    expect(refusal(() => makeSplit(later(11), half(later(11)), config, { windowLength: 3 }))).toMatchObject({
      tag: 'LeakError',
      fields: { apartMs: 2 * HOUR },
    });
  });
  it('says so where series have no footprint', () => {
    const store = tiles(['t1', null], ['x1', null]);
    expect(makeSplit(store, half(store), config, { windowLength: 3 }).notes.join()).toContain(
      '1 pairs of series in different parts have no footprint',
    );
  });
  it('leaves one series out', () => {
    const store = tiles(['t1', box(0)], ['t2', box(100)], ['t3', box(200)]);
    const [one] = store.index.seriesNames;
    const out = split({ by: 'series', train: ['*', `!${one}`], validation: [], test: [one], embargo: '0h' });
    const { part } = makeSplit(store, half(store), out, { windowLength: 3 });
    part.forEach((p, frame) => {
      expect(p).toBe(store.index.series[frame] === 0 ? TEST : TRAIN);
    });
  });
  it('refuses a pattern that names nothing and a series named twice', () => {
    const store = tiles(['t1', box(0)], ['x1', box(90)]);
    const by = (train: string[], test: string[]) =>
      refusal(() =>
        makeSplit(store, half(store), { ...config, train, test } as SplitConfig, { windowLength: 1 }),
      );
    expect(by(['t1'], ['z*'])).toMatchObject({ tag: 'ConfigError', fields: { pattern: 'z*' } });
    expect(by(['*'], ['x1'])).toMatchObject({ tag: 'LeakError', fields: { series: ['x1', 'x1'] } });
    expect(by(['t.'], ['x1'])).toMatchObject({ tag: 'ConfigError' });
  });
  it('footprintsMeet is symmetric and does not depend on full turns', () => {
    const side = fc.double({ min: -180, max: 180, noNaN: true });
    fc.assert(
      fc.property(
        side,
        side,
        fc.double({ min: 0.1, max: 170, noNaN: true }),
        fc.constantFrom(-360, 0, 360),
        (a, b, width, turn) => {
          const [first, second]: Footprint[] = [
            [a, 0, a + width, 1],
            [b, 0, b + width, 1],
          ];
          const meet = footprintsMeet(first, second, 360);
          expect(footprintsMeet(second, first, 360)).toBe(meet);
          const gap = Math.abs(((((b - a) % 360) + 540) % 360) - 180) - width; // > 0: apart on the circle
          if (Math.abs(gap) > 1e-6) expect(meet).toBe(gap < 0);
          expect(footprintsMeet([a + turn, 0, a + width + turn, 1], second, 360)).toBe(meet);
        },
      ),
    );
  });
});

describe('makeSplit at random', () => {
  const store = frames({ a: steps('2000-01-01T00:00Z', 200) }, HOUR);
  const labels = labelled(store, (f) => f % 5 === 0);
  it('is refused unless the leak is accepted by name, by schema and by code', () => {
    expect(SplitConfig.safeParse({ by: 'random', test: 0.3 }).success).toBe(false);
    expect(SplitConfig.safeParse({ by: 'random', test: 0.3, acceptLeak: false }).success).toBe(false);
    const forced = { by: 'random', test: 0.3, seed: 0 } as unknown as SplitConfig;
    expect(refusal(() => makeSplit(store, labels, forced, { windowLength: 4 }))).toMatchObject({
      tag: 'LeakError',
      fields: { by: 'random' },
    });
  });
  it('when accepted is leaky, says so, and depends on its seed', () => {
    const at = (seed: number) =>
      makeSplit(store, labels, split({ by: 'random', test: 0.3, acceptLeak: true, seed }), {
        windowLength: 4,
      });
    expect(at(1)).toMatchObject({
      leaky: true,
      notes: expect.arrayContaining([expect.stringContaining('LEAKS')]),
    });
    expect(count(at(1).part, TEST)).toBe(60);
    expect(at(2).hash).not.toBe(at(1).hash);
  });
});
