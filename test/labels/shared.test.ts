/** The label files of real datasets, read as they are. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { centreCells, joinLabels, readLabels } from '../../pipeline/labels/index.js';
import { LabelsConfig } from '../../schemas/config/index.js';
import { DAY, description, frameIndex, series, steps } from './frames.js';

const data = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const ncep = `${data}ncep_r1/labels_flaounas_cl8_cl9_cl10_at12utc.csv`;
const typhoon = `${data}digital_typhoon/labels.csv`;

describe.skipIf(!existsSync(ncep))('the NCEP R1 labels', () => {
  const days = description({
    stepMs: DAY,
    grid: { width: 17, height: 13, transform: [-11.25, 2.5, 0, 61.25, 0, -2.5], crs: 'EPSG:4326' },
  });
  const frames = { description: days, index: frameIndex({ a: steps('2000-01-01T00:00Z', 1096, DAY) }) };
  const config = (column: string, more = {}) =>
    LabelsConfig.parse({
      file: ncep,
      column,
      assumeUtc: true,
      timeOffset: '-12h',
      eventColumn: 'cl8_id',
      ...more,
    });

  it('join noon labels to days stamped 00:00 at each confidence level', async () => {
    for (const [column, positives] of [
      ['label_cl8', 157],
      ['label_cl9', 90],
      ['label_cl10', 26],
    ] as const) {
      const table = joinLabels(frames, await readLabels(config(column), { baseDir: '.' }), config(column));
      expect(table.label.reduce((n, l) => n + l, 0)).toBe(positives);
      expect(table.ignore.includes(1)).toBe(false);
    }
  });
  it('find the centre of every storm day on the grid', async () => {
    const table = joinLabels(
      frames,
      await readLabels(config('label_cl8'), { baseDir: '.' }),
      config('label_cl8'),
    );
    const cells = centreCells(frames, table);
    expect(cells.filter((cell) => cell >= 0).length).toBe(157);
    const first = Math.round((60 - 34.292) / 2.5) * 17 + Math.round((17.094 + 10) / 2.5); // 14 January 2000
    expect([table.label[13], cells[13]]).toEqual([1, first]);
    expect(table.eventNames[table.event[13]]).toBe('548');
  });
  it('are refused without the flags that settle zone and noon', async () => {
    const zoneless = LabelsConfig.parse({ file: ncep, column: 'label_cl8' });
    await expect(readLabels(zoneless, { baseDir: '.' })).rejects.toMatchObject({
      tag: 'TimeError',
      hint: expect.stringContaining('--assume-utc'),
    });
    const noon = config('label_cl8', { timeOffset: '0h' });
    const rows = await readLabels(noon, { baseDir: '.' });
    expect(() => joinLabels(frames, rows, noon)).toThrow(
      expect.objectContaining({
        tag: 'LabelJoinError',
        fields: expect.objectContaining({ kind: 'tie', distance: '12h' }),
      }),
    );
  });
});

describe.skipIf(!existsSync(typhoon))('the typhoon labels', () => {
  const config = LabelsConfig.parse({
    file: typhoon,
    column: 'label_ts_or_stronger',
    seriesColumn: 'sequence',
  });
  it('join by storm and time', async () => {
    const rows = await readLabels(config, { baseDir: '.' });
    const lines = readFileSync(typhoon, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(','));
    const storms = [...new Set(lines.map(([storm]) => storm))].sort();
    const times = Object.fromEntries(
      storms.map((s) => [s, lines.filter(([storm]) => storm === s).map(([, , time]) => Date.parse(time))]),
    );
    const frames = {
      description: description({ series: storms.map((s) => series(s)) }),
      index: frameIndex(times),
    };
    const table = joinLabels(frames, [...rows].reverse(), config);
    const expected = storms.flatMap((s) =>
      lines.filter(([storm]) => storm === s).map((line) => Number(line[4])),
    );
    expect([...table.label]).toEqual(expected);
    expect(expected.filter((l) => l === 1)).toHaveLength(154);
  });
});
