import { existsSync, readdirSync, statSync } from 'node:fs';
import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { scoreRun } from '../../pipeline/anomaly/index.js';
import {
  labelFrames,
  predictionRows,
  priorCalibration,
  readPredictions,
} from '../../pipeline/labelling/index.js';
import { openDataset } from '../../pipeline/shards/index.js';
import { openBackend } from '../../pipeline/tensor/index.js';
import { loadTrained } from '../../pipeline/training/index.js';
import { IngestConfig } from '../../schemas/config/index.js';
import type { LiveLabel, LiveLine } from '../../schemas/records/index.js';
import { readLines, type WatchMapsOptions, watchMaps } from '../../workers/live/index.js';
import { buildWhenStale, start } from '../integration/program.js';
import { DAY, FROM, liveRun, mapBytes, mapName, putMap, putMaps } from './fixture.js';

let folder = '';
const at = (...names: string[]) => join(folder, ...names);

beforeAll(async () => {
  buildWhenStale();
  folder = await mkdtemp(join(tmpdir(), 'stormreel-watch-'));
  await openBackend();
  await liveRun(folder);
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

const once = (name: string, more: Partial<WatchMapsOptions> = {}) =>
  watchMaps({
    config: IngestConfig.parse({ sources: [at(name, 'maps')], onBadFrame: 'skip' }),
    dataset: at(name, 'dataset'),
    runDir: at('run'),
    live: at(name, 'live'),
    settleMs: 50,
    everyMs: 20,
    once: true,
    ...more,
  });

async function lines(name: string): Promise<LiveLine[]> {
  const found: LiveLine[] = [];
  await readLines(at(name, 'live/record.jsonl'), (line) => found.push(line));
  return found;
}
const labels = async (name: string): Promise<LiveLabel[]> =>
  (await lines(name)).filter((line) => line.kind === 'label');

describe('a watch', () => {
  it('labels each frame once over several starts, as labelling and scoring the whole dataset do', async () => {
    for (const [from, to] of [
      [0, 9],
      [9, 30],
    ] as const) {
      await putMaps(at('steps/maps'), from, to);
      const told: LiveLine[] = [];
      const summary = await once('steps', { onLine: (line) => told.push(line) });
      expect(summary).toMatchObject({
        frames: to,
        labelled: to - from,
        bad: 0,
        late: 0,
        gaps: 0,
        rejected: 0,
      });
      expect(told).toHaveLength(to - from);
    }
    const record = await labels('steps');
    const store = await openDataset(at('steps/dataset'));
    const trained = await loadTrained(at('run'));
    const labelled = await labelFrames(trained, store, trained.calibration ?? priorCalibration(0));
    const rows = predictionRows(store, labelled, null);
    await store.close();
    expect(record.map(({ time }) => time)).toEqual(rows.map(({ time }) => time));
    record.forEach(({ logit, context }, i) => {
      expect(Math.abs(logit! - rows[i].logit!)).toBeLessThan(1e-5);
      expect(context).toBe(rows[i].context);
    });
    const ours = await readPredictions(at('steps/live/predictions.parquet'));
    expect(ours.map(({ predicted, event_id, context }) => [predicted, event_id, context])).toEqual(
      rows.map(({ predicted, event_id, context }) => [predicted, event_id, context]),
    );
    expect(new Set(ours.map(({ predicted }) => predicted))).toEqual(new Set([0, 1]));
    await scoreRun({ dataset: at('steps/dataset'), runDir: at('run'), out: at('scores.csv') });
    const scores = (await readFile(at('scores.csv'), 'utf8'))
      .trim()
      .split('\n')
      .slice(1)
      .map((row) => row.split(','));
    record.forEach(({ score, p_value }, i) => {
      expect(Math.abs(score! - Number(scores[i][2]))).toBeLessThan(1e-3);
      expect(p_value).toBeCloseTo(Number(scores[i][4]), 6);
    });
  });

  it('takes what is half written when it has settled, lists bad files, and tells late, mended and missing maps', async () => {
    const stop = new AbortController();
    const told: LiveLine[] = [];
    await putMaps(at('long/maps'), 0, 6);
    const ended = once('long', {
      once: false,
      settleMs: 300,
      graceMs: 1_000 - DAY, // a day after the last map counts as a second
      onLine: (line) => told.push(line),
      signal: stop.signal,
    });
    const until = async (what: string, isThere: () => boolean) => {
      await Promise.race([
        ended,
        vi.waitFor(() => expect(isThere(), what).toBe(true), { timeout: 60_000, interval: 20 }),
      ]);
    };
    const of = (i: number) => told.filter((line) => line.kind === 'label' && line.time === FROM + i * DAY);
    await until('the first maps', () => of(5).length === 1);
    // Half of a map, the rest after a while that is shorter than what it takes to settle.
    const slow = at('long/maps', mapName(7));
    const bytes = mapBytes(7);
    for (let part = 0; part < 4; part++) {
      await appendFile(slow, bytes.subarray((part * bytes.length) / 4, ((part + 1) * bytes.length) / 4));
      await sleep(100);
    }
    await writeFile(at('long/maps', mapName(8)), 'no map');
    await putMap(at('long/maps'), 9, mapBytes(9, { bandNames: ['z500'] }));
    await writeFile(at('long/maps', 'README.tif'), mapBytes(9));
    await until('what came in pieces', () => of(7).length === 1);
    await until('three refused', () => told.filter(({ kind }) => kind === 'rejected').length === 3);
    expect(
      told
        .filter((line) => line.kind === 'rejected')
        .map(({ tag }) => tag)
        .sort(),
    ).toEqual(['BadRasterError', 'BandMismatchError', 'TimeError']);
    await until('the hole', () =>
      told.some((line) => line.kind === 'gap' && line.from === FROM + 6 * DAY && line.to !== null),
    );
    await until('the silence', () =>
      told.some((line) => line.kind === 'gap' && line.from === FROM + 8 * DAY && line.to === null),
    );
    await putMap(at('long/maps'), 6, mapBytes(6)); // late
    await until('the late map', () => of(6).length === 1);
    await putMap(at('long/maps'), 8, mapBytes(8)); // mended
    await until('the mended map', () => of(8).length === 1);
    await putMap(at('long/maps'), 3, mapBytes(50)); // changed
    await until('the changed map', () => told.some(({ kind }) => kind === 'changed'));
    stop.abort();
    const summary = await ended;
    expect(summary).toMatchObject({
      frames: 9,
      labelled: 9,
      bad: 0,
      late: 1,
      rejected: 3,
      tables: { rows: 9 },
    });
    expect(summary.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(await lines('long')).toEqual(told);
    expect(of(6)).toMatchObject([{ late: true, context: 5 }]);
    expect(of(7)).toMatchObject([{ late: false, context: 1 }]); // its neighbour had not come
    const silence = told.filter((line) => line.kind === 'gap' && line.from === FROM + 8 * DAY);
    expect(silence).toMatchObject([{ to: null }, { frames: 0 }]);
    for (let i = 0; i < 9; i++) expect(of(i)).toHaveLength(1);
  });

  it('ends with the same record after kills at any moment, and labels no frame twice', async () => {
    await putMaps(at('killed/maps'), 0, 30);
    const args = [
      ...['watch', at('killed/maps'), '--dataset', at('killed/dataset'), '--model', at('run')],
      ...['--live', at('killed/live'), '--settle', '1s', '--once', '--json'],
    ];
    const size = () =>
      existsSync(at('killed/live/record.jsonl')) ? statSync(at('killed/live/record.jsonl')).size : -1;
    const plans = () =>
      existsSync(at('killed/dataset/plan')) ? readdirSync(at('killed/dataset/plan')).length : 0;
    for (const isTime of [() => plans() > 0, () => size() > 0]) {
      const running = start(args);
      while (!isTime()) await Promise.race([running.ended, sleep(2)]);
      running.kill();
      await running.ended;
    }
    await appendFile(at('killed/live/record.jsonl'), '{"kind":"label","series":"ma'); // torn off
    const { code, stdout } = await start(args).ended;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ frames: 30 });
    const [ours, calm] = await Promise.all([labels('killed'), labels('steps')]);
    expect(ours.map(({ time }) => time)).toEqual(calm.map(({ time }) => time));
    ours.forEach(({ logit, context, predicted, event, p_value }, i) => {
      expect(Math.abs(logit! - calm[i].logit!)).toBeLessThan(1e-5);
      expect([context, predicted, event]).toEqual([calm[i].context, calm[i].predicted, calm[i].event]);
      expect(p_value).toBeCloseTo(calm[i].p_value!, 6);
    });
    expect((await start(['dataset', 'hash', at('killed/dataset')]).ended).stdout.trim()).toBe(
      (await openDataset(at('steps/dataset'))).hash,
    );
  });

  it('refuses another model, a source that is not there, pictures, and a series that the dataset does not have', async () => {
    const config = (more: object) => ({
      config: IngestConfig.parse({ sources: [at('steps/maps')], ...more }),
    });
    await expect(once('steps', config({ pictures: true }))).rejects.toMatchObject({
      tag: 'ConfigError',
      fields: { pictures: true },
    });
    await putMaps(at('steps/other'), 40, 42);
    await expect(
      once('steps', {
        config: IngestConfig.parse({ sources: [at('steps/other')] }),
        live: at('steps/fresh'),
      }),
    ).rejects.toMatchObject({
      tag: 'ConfigError',
      fields: { found: 'other', expected: ['maps'] },
    });
    await cp(at('run'), at('run2'), { recursive: true });
    const record = await readFile(at('run2/model.json'), 'utf8');
    await writeFile(at('run2/model.json'), record.replace('"fittedOn": "the test"', '"fittedOn": "another"'));
    await expect(once('steps', { runDir: at('run2') })).rejects.toMatchObject({ tag: 'ModelMismatchError' });
    await expect(once('nowhere')).rejects.toMatchObject({ tag: 'ConfigError', fields: { code: 'ENOENT' } });
  });
});
