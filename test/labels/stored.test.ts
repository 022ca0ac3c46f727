import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { joinLabels, type LabelRow, loadLabels, saveLabels } from '../../pipeline/labels/index.js';
import { LabelsConfig } from '../../schemas/config/index.js';
import { description, frameIndex, HOUR, series, steps } from './frames.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stored-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const times = steps('2020-01-01T00:00Z', 4);
const two = description({ series: [series('a'), series('b')] });
const frames = { description: two, index: frameIndex({ a: times, b: times.slice(0, 3) }) };
const row = (name: string, time: number, label: 0 | 1, more: Partial<LabelRow> = {}): LabelRow => ({
  series: name,
  time,
  label,
  event: null,
  ignore: 0,
  lat: Number.NaN,
  lon: Number.NaN,
  where: '',
  ...more,
});
const rows = [
  row('a', times[0], 1, { event: '12', lat: 38.25, lon: 15.5 }),
  row('a', times[1], 0),
  row('a', times[3], 1),
  row('b', times[0], 0, { ignore: 1 }),
  row('b', times[1], 1, { event: '12' }),
  row('b', times[2], 1),
];
const config = LabelsConfig.parse({ file: 'storm labels.csv', unlabelled: 'ignore' });

describe('saveLabels and loadLabels', () => {
  it('give back every label, centre, event, rule and the hash', async () => {
    const table = joinLabels(frames, rows, config);
    const file = await saveLabels(folder, table, frames);
    expect(file.endsWith('labels/storm_labels.arrow')).toBe(true);
    expect(await loadLabels(folder, frames)).toEqual(table);
    expect(readdirSync(join(folder, 'labels'))).toEqual(['storm_labels.arrow']);
  });
  it('late frames are unlabelled and shift no other label, nor the hash', async () => {
    const table = joinLabels(frames, rows, config);
    await saveLabels(folder, table, frames);
    const late = {
      description: two,
      index: frameIndex({
        a: [times[0] - HOUR, ...times],
        b: [times[0], times[0] + HOUR / 2, ...times.slice(1, 3)],
      }),
    };
    const loaded = await loadLabels(folder, late);
    expect([...loaded.label]).toEqual([-1, 1, 0, -1, 1, 0, -1, 1, 1]);
    expect([...loaded.ignore]).toEqual([1, 0, 0, 1, 0, 1, 1, 0, 0]);
    expect(loaded.eventNames[loaded.event[1]]).toBe('a/12');
    expect(loaded.hash).toBe(table.hash);
  });
  it('keeps several sources side by side and asks which one', async () => {
    for (const source of ['tracks', 'expert'])
      await saveLabels(folder, joinLabels(frames, rows, { ...config, source }), frames);
    expect((await loadLabels(folder, frames, 'expert')).source).toBe('expert');
    await expect(loadLabels(folder, frames)).rejects.toMatchObject({
      tag: 'ConfigError',
      fields: { sources: ['expert', 'tracks'] },
    });
    await expect(loadLabels(folder, frames, 'other')).rejects.toMatchObject({ tag: 'ConfigError' });
  });
  it('says when a file of labels is damaged', async () => {
    const file = await saveLabels(folder, joinLabels(frames, rows, config), frames);
    for (const bytes of ['', 'no Arrow', readFileSync(file).subarray(0, 300)]) {
      writeFileSync(file, bytes);
      await expect(loadLabels(folder, frames)).rejects.toMatchObject({
        tag: 'CorruptShardError',
        fields: { file },
      });
    }
  });
  it('refuses a dataset without labels and labels of another dataset', async () => {
    await expect(loadLabels(folder, frames)).rejects.toMatchObject({
      tag: 'ConfigError',
      fields: { dataset: folder },
    });
    await saveLabels(folder, joinLabels(frames, rows, config), frames);
    const other = { description: description({ series: [series('c')] }), index: frameIndex({ c: times }) };
    await expect(loadLabels(folder, other)).rejects.toMatchObject({ tag: 'LabelJoinError' });
  });
});
