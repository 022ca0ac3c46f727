import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseInstant, readLabels } from '../../pipeline/labels/index.js';
import { LabelsConfig } from '../../schemas/config/index.js';

const folder = mkdtempSync(join(tmpdir(), 'labels-'));
afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string, config: Record<string, unknown> = {}) {
  writeFileSync(join(folder, 'labels.csv'), text);
  return readLabels(LabelsConfig.parse({ file: 'labels.csv', ...config }), { baseDir: folder });
}

describe('parseInstant', () => {
  const strict = { assumeUtc: false };
  it('reads instants with a zone, to the millisecond', () => {
    expect(parseInstant('2017-08-31T06:00Z', strict)).toBe(Date.UTC(2017, 7, 31, 6));
    expect(parseInstant('2017-08-31 06:00:30.25+02:00', strict)).toBe(Date.UTC(2017, 7, 31, 4, 0, 30, 250));
    expect(parseInstant('2017-08-31T06:00:00-0330', strict)).toBe(Date.UTC(2017, 7, 31, 9, 30));
  });
  it.each([
    ['2017-08-31T06:00', 'no zone'],
    ['2017-08-31', 'no time of day'],
    ['31.08.2017 06:00', 'not ISO 8601'],
    ['2017-08-31T6:00Z', 'not ISO 8601'],
    ['2017-02-29T06:00Z', 'no such date or time'],
    ['2017-08-31T24:00Z', 'no such date or time'],
    ['2017-08-31T06:00+99:00', 'no such date or time'],
    ['1504159200', 'not ISO 8601'],
  ])('refuses %s: %s', (text, fault) => {
    expect(parseInstant(text, strict)).toBe(fault);
  });
  it('takes zone-less times as UTC only when told to', () => {
    expect(parseInstant('2017-08-31T06:00', { assumeUtc: true })).toBe(Date.UTC(2017, 7, 31, 6));
    expect(parseInstant('2017-08-31', { assumeUtc: true })).toBe(Date.UTC(2017, 7, 31));
  });
});

describe('readLabels', () => {
  it('reads quoted cells, a byte order mark, CRLF and any order of columns', async () => {
    const rows = await read(
      '\uFEFF"label","note","time"\r\n1,"low, deep ""eye""",2020-01-01T00:00Z\r\n0,,2020-01-01T01:00Z\r\n',
    );
    expect(rows.map(({ time, label }) => [time, label])).toEqual([
      [Date.UTC(2020, 0, 1), 1],
      [Date.UTC(2020, 0, 1, 1), 0],
    ]);
  });
  it('reads series, event, ignore and centre where the file has them', async () => {
    const [row] = await read(
      'time,label,series,event_id,ignore,lat,lon\n2020-01-01T00:00Z,1,a,7,1,-38.5,15\n',
    );
    expect(row).toMatchObject({
      series: 'a',
      event: '7',
      ignore: 1,
      lat: -38.5,
      lon: 15,
      where: 'labels.csv line 2',
    });
  });
  it('leaves optional parts empty where the file has none', async () => {
    const [row] = await read('time,label\n2020-01-01T00:00Z,1\n');
    expect(row).toMatchObject({ series: null, event: null, ignore: 0, lat: Number.NaN, lon: Number.NaN });
  });
  it('takes columns by configured name', async () => {
    const config = {
      column: 'cl9',
      timeColumn: 'when',
      eventColumn: 'id',
      latColumn: 'y',
      seriesColumn: 'storm',
    };
    const [row] = await read('when,cl8,cl9,id,y,storm\n2020-01-01T00:00Z,0,1,5,30,x\n', config);
    expect(row).toMatchObject({ label: 1, event: '5', lat: 30, series: 'x' });
  });
  it('keeps the labels of the chosen source and refuses to mix sources', async () => {
    const text = 'time,label,source\n2020-01-01T00:00Z,1,tracks\n2020-01-01T00:00Z,0,expert\n';
    expect(await read(text, { source: 'expert' })).toMatchObject([{ label: 0 }]);
    await expect(read(text)).rejects.toMatchObject({
      tag: 'LabelJoinError',
      fields: { sources: ['tracks', 'expert'] },
    });
  });
  it('refuses a zone-less time and names the flag', async () => {
    await expect(read('time,label\n2020-01-01T00:00:00,1\n')).rejects.toMatchObject({
      tag: 'TimeError',
      fields: { value: '2020-01-01T00:00:00', fault: 'no zone', where: 'labels.csv line 2' },
      hint: expect.stringContaining('--assume-utc'),
    });
  });
  it('refuses a class other than 0 and 1 with value and line', async () => {
    for (const value of ['2', '1.0', 'storm', '', 'true'])
      await expect(
        read(`time,label\n2020-01-01T00:00Z,1\n2020-01-01T01:00Z,${value}\n`),
      ).rejects.toMatchObject({
        tag: 'LabelJoinError',
        fields: { value, where: 'labels.csv line 3' },
      });
  });
  it('refuses two rows for one series and time, naming both', async () => {
    const text = 'time,label\n2020-01-01T00:00Z,1\n2020-01-01T01:00+01:00,0\n';
    await expect(read(text)).rejects.toMatchObject({
      tag: 'LabelJoinError',
      fields: { rows: ['labels.csv line 2', 'labels.csv line 3'] },
    });
  });
  it('refuses missing columns, ragged rows, empty files and missing files', async () => {
    await expect(read('time,storm\n2020-01-01T00:00Z,1\n')).rejects.toMatchObject({
      tag: 'LabelJoinError',
      fields: { column: 'label', found: ['time', 'storm'] },
      hint: expect.stringContaining('--label-column'),
    });
    await expect(read('time,label\n2020-01-01T00:00Z,1,9\n')).rejects.toMatchObject({
      tag: 'LabelJoinError',
    });
    await expect(read('time,label\n')).rejects.toMatchObject({ tag: 'LabelJoinError' });
    const config = LabelsConfig.parse({ file: 'none.csv' });
    await expect(readLabels(config, { baseDir: folder })).rejects.toMatchObject({ tag: 'ConfigError' });
    await expect(readLabels(LabelsConfig.parse({}), { baseDir: folder })).rejects.toMatchObject({
      tag: 'ConfigError',
    });
  });
  it('refuses a centre that is not degrees', async () => {
    await expect(read('time,label,lat,lon\n2020-01-01T00:00Z,1,95,3\n')).rejects.toMatchObject({
      tag: 'LabelJoinError',
      fields: { value: '95' },
    });
  });
});
