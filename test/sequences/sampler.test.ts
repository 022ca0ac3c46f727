import { describe, expect, it } from 'vitest';
import { joinLabels } from '../../pipeline/labels/index.js';
import { eventSampler, segments, timeline as timelineOf, windows } from '../../pipeline/sequences/index.js';
import { LabelsConfig } from '../../schemas/config/index.js';
import { description, frameIndex, HOUR, steps } from '../labels/frames.js';

const index = frameIndex({ a: steps('2020-01-01T00:00Z', 400) });
/** One event of 60 frames and one of 3. */
const storm = (f: number) => (f >= 50 && f < 110) || (f >= 300 && f < 303);
const labels = joinLabels(
  { description: description(), index },
  Array.from(index.time, (time, f) => ({
    time,
    label: storm(f) ? (1 as const) : (0 as const),
    series: null,
    event: null,
    ignore: 0 as const,
    lat: Number.NaN,
    lon: Number.NaN,
    where: '',
  })),
  LabelsConfig.parse({ file: 'x.csv' }),
);
const timeline = { frame: (slot: number) => slot };
const list = windows(segments(index, HOUR), { length: 10, stride: 1 });
const hits = (window: number, from: number, to: number) =>
  list.at(window).start < to && list.at(window).start + 10 > from;

describe('eventSampler', () => {
  const sampler = eventSampler({ windows: list, timeline, labels, seed: 4, share: 0.5 });
  const draws = Array.from({ length: 20_000 }, (_, i) => sampler.at(0, i));
  it('draws storms with the share asked for and every event as often as any other', () => {
    const share = (from: number, to: number) => draws.filter((w) => hits(w, from, to)).length / draws.length;
    expect(sampler.events).toBe(2);
    expect(share(50, 110)).toBeCloseTo(0.25, 1);
    expect(share(300, 303)).toBeCloseTo(0.25, 1);
    expect(share(50, 110) + share(300, 303)).toBeCloseTo(0.5, 1);
  });
  it('knows the prior of its stream, so that it can be undone', () => {
    let positives = 0;
    for (const w of draws)
      for (let f = list.at(w).start; f < list.at(w).start + 10; f++) positives += labels.label[f];
    expect(Math.abs(positives / (draws.length * 10) - sampler.prior)).toBeLessThan(0.01);
    expect(sampler.prior).toBeGreaterThan(63 / 400);
  });
  it('is a pure function of seed, epoch and draw', () => {
    const again = eventSampler({ windows: list, timeline, labels, seed: 4, share: 0.5 });
    expect([999, 3, 17].map((i) => again.at(2, i))).toEqual([999, 3, 17].map((i) => sampler.at(2, i)));
    expect(Array.from({ length: 50 }, (_, i) => sampler.at(1, i))).not.toEqual(draws.slice(0, 50));
  });
  it('draws from the windows there are when one kind is missing', () => {
    const calm = { ...labels, label: new Int8Array(400), event: new Int32Array(400).fill(-1) };
    const only = eventSampler({ windows: list, timeline, labels: calm, seed: 1, share: 0.5 });
    expect([only.prior, only.events]).toEqual([0, 0]);
    expect(only.at(0, 0)).toBeLessThan(list.length);
    const stormy = { ...labels, label: new Int8Array(400).fill(1), event: new Int32Array(400) };
    expect(eventSampler({ windows: list, timeline, labels: stormy, seed: 1, share: 0.5 }).prior).toBeCloseTo(
      1,
      12,
    );
  });
  it('takes what stands in the slots of a masked timeline, not the slots, for frames', () => {
    // Hours 0 to 9 and 13 to 22: three empty slots before frame 10. The storm is frame 16.
    const hours = Array.from({ length: 20 }, (_, i) => (i < 10 ? i : i + 3));
    const gappy = frameIndex({ a: hours.map((hour) => Date.UTC(2020, 0, 1) + hour * HOUR) });
    const masked = timelineOf(gappy, HOUR, { gaps: 'mask', longestFill: 4 });
    const label = Int8Array.from(gappy.time, (_, f) => (f === 16 ? 1 : 0));
    const event = Int32Array.from(label, (l) => l - 1);
    const short = { ...labels, label, event, ignore: new Uint8Array(20) };
    const five = windows(masked.segments, { length: 5, stride: 1 });
    const draws = eventSampler({ windows: five, timeline: masked, labels: short, seed: 1, share: 1 });
    for (let i = 0; i < 200; i++) {
      const { start } = five.at(draws.at(0, i));
      expect(start).toBeGreaterThan(14); // slot 19 holds frame 16
      expect(start).toBeLessThanOrEqual(19);
    }
  });
});
