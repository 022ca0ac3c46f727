import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  framesOf,
  readAttention,
  readPredictions,
  writeAttention,
  writeEvents,
  writePredictions,
} from '../../pipeline/labelling/index.js';
import type { PredictionRow } from '../../schemas/records/index.js';
import { frameIndex, steps } from '../labels/frames.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stormreel-'));
});
afterAll(() => rm(folder, { recursive: true }));

const rows: PredictionRow[] = [
  {
    series: 'a',
    time: Date.parse('2000-01-01T00:00Z'),
    logit: -1.25,
    probability: 0.2227001388253088,
    predicted: 0,
    event_id: null,
    split: 'train',
    context: 1,
  },
  {
    series: 'a',
    time: Date.parse('2000-01-01T06:00:30Z'),
    logit: 2,
    probability: 0.8807970779778823,
    predicted: 1,
    event_id: 1,
    split: 'test',
    context: 2,
  },
  {
    series: 'b, "c"',
    time: Date.parse('2000-01-01T00:00Z'),
    logit: null,
    probability: null,
    predicted: null,
    event_id: null,
    split: 'none',
    context: 0,
  },
];

describe('predictions', () => {
  it.each(['p.parquet', 'p.csv'])('come back as they were written: %s', async (name) => {
    await writePredictions(join(folder, name), rows);
    expect(await readPredictions(join(folder, name))).toEqual(rows);
  });

  it('of anybody need only a time and a probability or logit', async () => {
    const file = join(folder, 'their.csv');
    await writeFile(file, 'time,probability\n2000-01-01T00:00Z,0.25\n2000-01-02T00:00Z,\n');
    const [a, b] = await readPredictions(file);
    expect(a).toMatchObject({ series: '', probability: 0.25, split: null, predicted: null });
    expect(a.logit).toBeCloseTo(Math.log(1 / 3), 12);
    expect(b).toMatchObject({ logit: null, probability: null });
  });

  it.each([
    ['time,score\n2000-01-01T00:00Z,1\n', { tag: 'ConfigError', fields: { found: ['time', 'score'] } }],
    ['time,logit\n2000-01-01 00:00,1\n', { tag: 'TimeError', fields: { row: 2, fault: 'no zone' } }],
    ['time,probability\n2000-01-01T00:00Z,3\n', { tag: 'ConfigError', fields: { probability: 3 } }],
    ['time,probability\n2000-01-01T00:00Z,high\n', { tag: 'ConfigError', fields: { row: 2, value: 'high' } }],
    ['time,logit\n2000-01-01T00:00Z,"1,5"\n', { tag: 'ConfigError', fields: { column: 'logit' } }],
  ])('that make no sense are refused: %j', async (text, error) => {
    const file = join(folder, 'bad.csv');
    await writeFile(file, text);
    await expect(readPredictions(file)).rejects.toMatchObject(error);
  });

  it('may say in the usual words that there is none, or that the odds are endless', async () => {
    const file = join(folder, 'words.csv');
    const cells = ['NaN', 'NA', 'null', '-inf', 'Infinity'].map(
      (word, i) => `2000-01-0${i + 1}T00:00Z,${word}`,
    );
    await writeFile(file, ['time,logit', ...cells].join('\n'));
    const read = await readPredictions(file);
    expect(read.map(({ probability }) => probability)).toEqual([null, null, null, 0, 1]);
  });

  it('in a file of another kind are refused', async () => {
    await expect(writePredictions(join(folder, 'p.txt'), rows)).rejects.toMatchObject({ tag: 'ConfigError' });
    await expect(readPredictions(join(folder, 'absent.csv'))).rejects.toMatchObject({ tag: 'ConfigError' });
  });

  it('become frames in the order of series and time, and two of one time are refused', () => {
    const read = rows.map((row) => ({ ...row })).reverse();
    const { index, description } = framesOf(read);
    expect([...index.time]).toEqual(rows.map(({ time }) => time));
    expect([...index.ok]).toEqual([1, 1, 0]);
    expect(description.stepMs).toBe(6 * 3_600_000 + 30_000);
    expect(() => framesOf([read[0], read[0]])).toThrow(expect.objectContaining({ tag: 'TimeError' }));
  });
});

describe('events and attention', () => {
  it('are written as CSV, GeoJSON and Arrow', async () => {
    const event = {
      event_id: 1,
      series: 'a',
      start: rows[0].time,
      end: rows[1].time,
      frames: 2,
      peak_time: rows[1].time,
      peak_probability: 0.9,
      mean_probability: 0.5,
      lat: 36,
      lon: 18.5,
    };
    const paths = { csv: join(folder, 'events.csv'), geojson: join(folder, 'events.geojson') };
    await writeEvents(paths, [event, { ...event, event_id: 2, lat: null, lon: null }]);
    expect(await readFile(paths.csv, 'utf8')).toBe(
      'event_id,series,start,end,frames,peak_time,peak_probability,mean_probability,lat,lon\n' +
        '1,a,2000-01-01T00:00Z,2000-01-01T06:00:30Z,2,2000-01-01T06:00:30Z,0.9,0.5,36,18.5\n' +
        '2,a,2000-01-01T00:00Z,2000-01-01T06:00:30Z,2,2000-01-01T06:00:30Z,0.9,0.5,,\n',
    );
    const { features } = JSON.parse(await readFile(paths.geojson, 'utf8'));
    expect(features[0].geometry).toEqual({ type: 'Point', coordinates: [18.5, 36] });
    expect(features[1].geometry).toBeNull();
    const index = frameIndex({ a: steps('2000-01-01', 2), b: steps('2000-01-01', 1) });
    const maps = Float32Array.from({ length: 3 * 6 }, (_, i) => i);
    await writeAttention(join(folder, 'attention.arrow'), index, maps, { width: 3, height: 2 });
    const table = tableFromIPC(await readFile(join(folder, 'attention.arrow')));
    expect(table.schema.metadata.get('width')).toBe('3');
    expect([...table.getChild('series')!]).toEqual(['a', 'a', 'b']);
    expect(Number(table.getChild('time')!.get(1))).toBe(index.time[1]);
    expect([...table.getChild('map')!.get(2)]).toEqual([12, 13, 14, 15, 16, 17]);
  });

  it('keep the maps and the weight of each tap, and read them back', async () => {
    const index = frameIndex({ a: steps('2000-01-01', 2) });
    const path = join(folder, 'taps.arrow');
    const numbers = (length: number) => Float32Array.from({ length }, (_, i) => i / 8);
    await writeAttention(
      path,
      index,
      numbers(2 * 6),
      { width: 3, height: 2 },
      {
        taps: [
          { name: 'block0', width: 3, height: 2, maps: numbers(2 * 6) },
          { name: 'block1', width: 2, height: 1, maps: numbers(2 * 2) },
        ],
        scale: Float32Array.of(0.25, 0.75, 0, 0),
      },
    );
    const stored = await readAttention(path);
    expect(stored.taps).toEqual([
      { name: 'block0', width: 3, height: 2 },
      { name: 'block1', width: 2, height: 1 },
    ]);
    expect([...stored.tapMap(1, 0)]).toEqual([0.75, 0.875, 1, 1.125, 1.25, 1.375]);
    expect([...stored.tapMap(1, 1)]).toEqual([0.25, 0.375]);
    expect([...stored.scale(0)!]).toEqual([0.25, 0.75]);
    await writeAttention(path, index, numbers(2 * 6), { width: 3, height: 2 });
    const plain = await readAttention(path);
    expect(plain.taps).toEqual([]);
    expect(plain.scale(0)).toBeNull();
  });
});
