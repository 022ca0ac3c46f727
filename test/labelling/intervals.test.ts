import { describe, expect, it } from 'vitest';
import {
  estimate,
  evaluateScores,
  pairedGain,
  rankScores,
  resamplingBlocks,
  resamplingUnits,
  sectors,
} from '../../pipeline/labelling/index.js';
import { DAY, description, frameIndex, series, steps } from '../labels/frames.js';

const labelsOf = (label: number[]) => {
  let [event, last] = [-1, 0];
  const events = label.map((y) => {
    if (y === 1 && last !== 1) event++;
    last = y;
    return y === 1 ? event : -1;
  });
  return {
    label: Int8Array.from(label),
    event: Int32Array.from(events),
    ignore: new Uint8Array(label.length),
  };
};
const storms = (length: number, starts: number[], days = 2) =>
  Array.from({ length }, (_, i) => (starts.some((s) => i >= s && i < s + days) ? 1 : 0));

describe('resampling units', () => {
  it('keep every event with its context in one unit and cut calm time into ten days or more', () => {
    const index = frameIndex({ a: steps('2000-01-01', 120, DAY) });
    const labels = labelsOf(storms(120, [40, 90]));
    const { unit, count } = resamplingBlocks(index, labels, { contextFrames: 3 });
    expect(new Set(unit).size).toBe(count);
    expect(new Set(unit.slice(37, 45)).size).toBe(1);
    expect(unit[36]).not.toBe(unit[37]);
    expect(unit[45]).not.toBe(unit[44]);
    for (let u = 0; u < count; u++) {
      const frames = [...unit.keys()].filter((f) => unit[f] === u);
      expect(frames.at(-1)! - frames[0] + 1).toBe(frames.length);
      if (!frames.some((f) => labels.label[f])) expect(frames.length).toBeGreaterThanOrEqual(10);
    }
  });

  it('never mix series, and give short calm stretches to the events beside them', () => {
    const index = frameIndex({ a: steps('2000-01-01', 20, DAY), b: steps('2000-01-01', 8, DAY) });
    const { unit } = resamplingBlocks(index, labelsOf([...storms(20, [2, 14]), ...storms(8, [])]), {
      contextFrames: 1,
    });
    expect(new Set(unit.slice(0, 20)).size).toBe(2);
    expect(new Set(unit.slice(20)).size).toBe(1);
    expect(unit.slice(0, 20)).not.toContain(unit[20]);
  });

  it('leave frames that are not judged out', () => {
    const index = frameIndex({ a: steps('2000-01-01', 30, DAY) });
    const { unit, events } = resamplingBlocks(index, labelsOf(storms(30, [3, 20])), {
      frames: [0, 1, 2, 3, 4],
    });
    expect([...unit.slice(5)]).toEqual(new Array(25).fill(-1));
    expect(events).toBe(1);
  });

  it('are blocks of neighbouring tiles where tiles overlap in one week', () => {
    const names = Array.from({ length: 22 }, (_, i) => `t${i}`);
    const tiles = names.map((name, i) => {
      const west = 258 + 6 * (i % 11);
      const south = i < 11 ? 28 : -59;
      const tile = { row: 0, column: west, height: 32, width: 32, margin: 4, flip: false };
      return series(name, { footprint: [west, south, west + 32, south + 32], tile });
    });
    const grid = {
      width: 360,
      height: 181,
      transform: [0, 1, 0, 90.5, 0, -1] as [number, number, number, number, number, number],
      crs: 'EPSG:4326',
    };
    const frames = {
      description: description({ series: tiles, sourceGrid: grid }),
      index: frameIndex(Object.fromEntries(names.map((n) => [n, steps('2026-03-25', 5)]))),
    };
    const found = sectors(frames.description, frames.index, new Set(names.keys()))!;
    expect(found.overlap).toBe(true);
    expect([...found.group]).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5]);
    const units = resamplingUnits(frames, labelsOf(storms(110, [3])));
    expect(units).toMatchObject({ kind: 'space', count: 6, reason: null });
    expect(units.words).toMatch(/blocks of neighbouring tiles/);
    expect(resamplingUnits(frames, labelsOf(storms(110, [3])), { units: 'time' }).kind).toBe('time');
  });
});

describe('intervals', () => {
  const index = frameIndex({ a: steps('2000-01-01', 900, DAY) });
  const labels = labelsOf(
    storms(
      900,
      Array.from({ length: 30 }, (_, k) => 10 + 30 * k),
      3,
    ),
  );
  const score = Float64Array.from(labels.label, (y, i) => y + 1.5 * Math.sin(i * 12.9898) ** 3);
  const frames = [...index.time.keys()];

  it('hold the value, are the same for the same seed, and are not given for fewer than eight events', () => {
    const units = resamplingUnits({ description: description({ stepMs: DAY }), index }, labels);
    const input = {
      index,
      stepMs: DAY,
      labels,
      frames,
      score,
      probability: score.map((z) => 1 / (1 + Math.exp(-z))),
      units,
    };
    const a = evaluateScores(input, { draws: 400 });
    for (const key of ['auroc', 'ap', 'brier', 'bss', 'ece', 'pod', 'far', 'csi', 'hss', 'sedi'] as const) {
      const { value, ci95 } = a[key];
      expect(ci95, key).not.toBeNull();
      if (key !== 'ece') expect(ci95![0] <= value! && value! <= ci95![1], key).toBe(true);
    }
    expect(evaluateScores(input, { draws: 400 })).toEqual(a);
    const few = labelsOf(storms(900, [100, 400]));
    const poor = resamplingUnits({ description: description({ stepMs: DAY }), index }, few);
    const { auroc } = evaluateScores({ ...input, labels: few, units: poor });
    expect(auroc.value).not.toBeNull();
    expect(auroc.ci95).toBeNull();
    expect(auroc.reason).toMatch(/not estimable: 2 events/);
  });

  it('of a paired gain are narrower than those of its terms when scores agree', () => {
    const units = resamplingBlocks(index, labels);
    const other = score.map((z, i) => z + 0.05 * Math.cos(i));
    const [a, b] = rankScores([score, other], labels.label, units.unit, units, { draws: 400 });
    const width = ({ ci95 }: { ci95: [number, number] | null }) => ci95![1] - ci95![0];
    expect(width(pairedGain(a, b, 'auroc', units))).toBeLessThan(0.5 * width(a.auroc));
    expect(pairedGain(a, a, 'ap', units)).toMatchObject({ value: 0, ci95: [0, 0] });
  });

  it('of an undefined value are null with the reason', () => {
    expect(estimate(null, null, null, 'no storm frame')).toEqual({
      value: null,
      ci95: null,
      reason: 'no storm frame',
    });
    const units = resamplingBlocks(index, labels);
    const half = Float64Array.from({ length: 100 }, (_, i) => (i < 50 ? Number.NaN : 1));
    expect(estimate(1, half, units, '').reason).toMatch(/undefined in 50 of 100 draws/);
  });

  it('of 20,000 frames take seconds, not minutes', () => {
    const long = frameIndex({ a: steps('1960-01-01', 20000, DAY) });
    const many = labelsOf(
      storms(
        20000,
        Array.from({ length: 250 }, (_, k) => 80 * k),
      ),
    );
    const units = resamplingBlocks(long, many);
    const z = Float64Array.from(many.label, (y, i) => y + Math.sin(i * 78.233));
    const start = performance.now();
    evaluateScores({
      index: long,
      stepMs: DAY,
      labels: many,
      frames: [...long.time.keys()],
      score: z,
      units,
    });
    expect(performance.now() - start).toBeLessThan(15_000);
  });

  it('never count more matches than predicted events, whichever units are drawn', () => {
    const long = frameIndex({ a: steps('2000-01-01', 600, DAY) });
    const starts = Array.from({ length: 10 }, (_, k) => 30 + 60 * k);
    const truth = labelsOf(storms(600, starts, 12));
    // Each prediction begins six days early, in the calm unit before: overlap 12 of 18 days.
    const predicted = storms(
      600,
      starts.map((s) => s - 6),
      18,
    );
    const units = resamplingBlocks(long, truth);
    expect(units.unit[24]).not.toBe(units.unit[30]);
    const input = { index: long, stepMs: DAY, labels: truth, frames: [...long.time.keys()], units };
    const score = Float64Array.from(predicted);
    const { eventScores } = evaluateScores({ ...input, score, predicted }, { draws: 200 });
    expect(eventScores).toMatchObject({
      precision: { value: 1, ci95: [1, 1] },
      f1: { value: 1, ci95: [1, 1] },
      falseEvents: 0,
      onsetErrorHours: { value: 144 },
    });
  });

  it('score events by overlap and say how late the first frame was', () => {
    const small = frameIndex({ a: steps('2000-01-01', 10, DAY) });
    const truth = labelsOf([0, 1, 1, 1, 1, 0, 0, 1, 0, 0]);
    const predicted = [0, 0, 1, 1, 1, 0, 0, 0, 0, 1];
    const { eventScores, events } = evaluateScores({
      index: small,
      stepMs: DAY,
      labels: truth,
      frames: [...small.time.keys()],
      score: Float64Array.from(predicted),
      predicted,
    });
    expect(events).toBe(2);
    expect(eventScores).toMatchObject({
      pod: { value: 0.5 },
      precision: { value: 0.5 },
      f1: { value: 0.5 },
      falseEvents: 1,
      onsetErrorHours: { value: 24 },
    });
  });
});
