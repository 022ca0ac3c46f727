import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinLabels, type LabelRow } from '../../pipeline/labels/index.js';
import { LabelsConfig } from '../../schemas/config/index.js';
import { DAY, description, frameIndex, HOUR, series, steps } from './frames.js';

const config = (values: Record<string, unknown> = {}) =>
  LabelsConfig.parse({ file: 'labels.csv', ...values });

function row(time: number | string, label: 0 | 1, more: Partial<LabelRow> = {}): LabelRow {
  const at = typeof time === 'string' ? Date.parse(time) : time;
  return {
    time: at,
    label,
    series: null,
    event: null,
    ignore: 0,
    lat: Number.NaN,
    lon: Number.NaN,
    where: 'here',
    ...more,
  };
}
function refusal(work: () => unknown) {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was refused');
}

describe('joinLabels', () => {
  const times = steps('2020-01-01T00:00Z', 5);
  const frames = { description: description(), index: frameIndex({ a: times }) };

  it('joins by time whatever the order of the rows', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom<0 | 1>(0, 1), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: -29, max: 29 }),
        fc.infiniteStream(fc.nat(1000)),
        (labels, minutes, keys) => {
          const at = steps('2020-01-01T00:00Z', labels.length);
          const rows = labels.map((label, i) => row(at[i] + minutes * 60_000, label));
          const shuffled = rows
            .map((r) => ({ r, key: keys.next().value }))
            .sort((a, b) => a.key - b.key)
            .map(({ r }) => r);
          const table = joinLabels(
            { description: description(), index: frameIndex({ a: at }) },
            shuffled,
            config(),
          );
          expect([...table.label]).toEqual(labels);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('adds the time offset before the join and says so in the rule', () => {
    const daily = {
      description: description({ stepMs: DAY }),
      index: frameIndex({ a: steps('2000-01-01T00:00Z', 3, DAY) }),
    };
    const noon = steps('2000-01-01T12:00Z', 3, DAY).map((t, i) => row(t, i === 1 ? 1 : 0));
    const table = joinLabels(daily, noon, config({ timeOffset: '-12h' }));
    expect([...table.label]).toEqual([0, 1, 0]);
    expect(table.rule).toContain('-12h added to every label time');
    expect(refusal(() => joinLabels(daily, noon, config()))).toMatchObject({
      tag: 'LabelJoinError',
      fields: { kind: 'tie', distance: '12h' },
      hint: expect.stringContaining('--label-time-offset -12h'),
    });
  });

  it('refuses a frame that lies halfway between two labels', () => {
    const rows = [row('2020-01-01T00:30Z', 0), row('2020-01-01T01:30Z', 1)];
    const one = { description: description(), index: frameIndex({ a: [Date.parse('2020-01-01T01:00Z')] }) };
    expect(refusal(() => joinLabels(one, rows, config()))).toMatchObject({
      tag: 'LabelJoinError',
      fields: { kind: 'tie', frames: ['2020-01-01T01:00Z'] },
    });
  });

  it('counts mismatches both ways with up to three examples', () => {
    const rows = [
      ...times.slice(0, 2).map((t) => row(t, 0)),
      ...steps('2021-06-01T00:00Z', 4).map((t) => row(t, 1)),
    ];
    expect(refusal(() => joinLabels(frames, rows, config()))).toMatchObject({
      tag: 'LabelJoinError',
      fields: {
        kind: 'unmatched',
        labels: 4,
        ofLabels: 6,
        frames: 3,
        ofFrames: 5,
        labelExamples: ['2021-06-01T00:00Z', '2021-06-01T01:00Z', '2021-06-01T02:00Z'],
        frameExamples: ['2020-01-01T02:00Z', '2020-01-01T03:00Z', '2020-01-01T04:00Z'],
      },
      hint: expect.stringContaining('--label-tolerance'),
    });
  });

  it('does what the config says about frames without label and labels without frame', () => {
    const rows = [row(times[1], 1), row('2021-06-01T00:00Z', 1)];
    expect(refusal(() => joinLabels(frames, rows, config({ unlabelled: 'negative' })))).toMatchObject({
      fields: { labels: 1 },
    });
    expect(refusal(() => joinLabels(frames, rows, config({ unmatched: 'drop' })))).toMatchObject({
      fields: { frames: 4 },
    });
    const negative = joinLabels(frames, rows, config({ unlabelled: 'negative', unmatched: 'drop' }));
    expect([...negative.label]).toEqual([0, 1, 0, 0, 0]);
    expect([...negative.ignore]).toEqual([0, 0, 0, 0, 0]);
    expect(negative.rule).toContain(
      '4 frames without a label count as class 0; 1 labels without a frame are left out',
    );
    const ignored = joinLabels(frames, rows, config({ unlabelled: 'ignore', unmatched: 'drop' }));
    expect([...ignored.label]).toEqual([-1, 1, -1, -1, -1]);
    expect([...ignored.ignore]).toEqual([1, 0, 1, 1, 1]);
  });

  it('refuses labels of which none meets a frame, even when such labels may be dropped', () => {
    const rows = [row('2031-06-01T00:00Z', 1)];
    expect(
      refusal(() => joinLabels(frames, rows, config({ unlabelled: 'negative', unmatched: 'drop' }))),
    ).toMatchObject({
      tag: 'LabelJoinError',
      fields: { labels: 1, ofLabels: 1 },
    });
  });

  it('gives a frame the nearest of several labels and counts the others', () => {
    const rows = times.flatMap((t, i) => [row(t, i === 2 ? 1 : 0), row(t + 20 * 60_000, 1)]);
    expect(refusal(() => joinLabels(frames, rows, config()))).toMatchObject({
      fields: { labels: 5, frames: 0 },
    });
    expect([...joinLabels(frames, rows, config({ unmatched: 'drop' })).label]).toEqual([0, 0, 1, 0, 0]);
  });

  it('needs a series column where the dataset has several series', () => {
    const two = {
      description: description({ series: [series('a'), series('b')] }),
      index: frameIndex({ a: times.slice(0, 2), b: times.slice(0, 2) }),
    };
    const bare = times.slice(0, 2).map((t) => row(t, 1));
    expect(refusal(() => joinLabels(two, bare, config()))).toMatchObject({
      tag: 'LabelJoinError',
      hint: expect.stringContaining('--label-series-column'),
    });
    const named = [
      row(times[0], 0, { series: 'b' }),
      row(times[1], 1, { series: 'b' }),
      row(times[0], 1, { series: 'a' }),
      row(times[1], 0, { series: 'a' }),
    ];
    const table = joinLabels(two, named, config());
    expect([...table.label]).toEqual([1, 0, 0, 1]);
    expect(
      refusal(() => joinLabels(two, [...named, row(times[0], 1, { series: 'c' })], config())),
    ).toMatchObject({
      fields: { labels: 1 },
      hint: expect.stringContaining('no series "c"'),
    });
  });

  it('numbers events by name within a series, and runs of storm frames where there is no name', () => {
    const runs = joinLabels(
      frames,
      times.map((t, i) => row(t, ([1, 1, 0, 1, 1] as const)[i])),
      config(),
    );
    expect([...runs.event]).toEqual([0, 0, -1, 1, 1]);
    expect(runs.eventNames).toEqual(['2020-01-01T00:00Z', '2020-01-01T03:00Z']);
    const named = joinLabels(
      frames,
      times.map((t, i) => row(t, ([1, 1, 0, 1, 0] as const)[i], { event: ['7', '8', '8', '7', '9'][i] })),
      config(),
    );
    expect([...named.event]).toEqual([0, 1, -1, 0, -1]);
    expect(named.eventNames).toEqual(['7', '8']);
  });

  it('ends an unnamed event at a gap', () => {
    const gap = {
      description: description(),
      index: frameIndex({ a: [...times.slice(0, 2), times[1] + 5 * HOUR] }),
    };
    const table = joinLabels(
      gap,
      [...gap.index.time].map((t) => row(t, 1)),
      config(),
    );
    expect([...table.event]).toEqual([0, 0, 1]);
  });

  it('gives labels a hash that any change of them changes', () => {
    const base = times.map((t, i) => row(t, i === 2 ? 1 : 0));
    const hashOf = (rows: LabelRow[]) => joinLabels(frames, rows, config()).hash;
    const first = hashOf(base);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(hashOf([...base].reverse())).toBe(first);
    const changed = (i: number, more: Partial<LabelRow>) =>
      base.map((r, k) => (k === i ? { ...r, ...more } : r));
    const others = [
      changed(0, { label: 1 }),
      changed(0, { ignore: 1 }),
      changed(2, { event: 'x' }),
      changed(2, { lat: 3 }),
    ];
    expect(new Set([first, ...others.map(hashOf)]).size).toBe(5);
  });

  it('refuses pictures without times and datasets without a step when no tolerance is given', () => {
    const rows = times.map((t) => row(t, 0));
    const pictures = { ...frames, description: description({ time: 'none', stepMs: null }) };
    expect(refusal(() => joinLabels(pictures, rows, config()))).toMatchObject({ tag: 'ConfigError' });
    const stepless = { ...frames, description: description({ stepMs: null }) };
    expect(refusal(() => joinLabels(stepless, rows, config()))).toMatchObject({
      tag: 'ConfigError',
      hint: expect.stringContaining('--label-tolerance'),
    });
  });
});
