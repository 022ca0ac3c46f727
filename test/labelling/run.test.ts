import { cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { command as evaluateCommand } from '../../cli/evaluate.js';
import { command as labelCommand } from '../../cli/label.js';
import { labelRun, readPredictions } from '../../pipeline/labelling/index.js';
import {
  formatInstant,
  joinLabels,
  type LabelTable,
  loadLabels,
  saveLabels,
} from '../../pipeline/labels/index.js';
import { makeSplit, type Split } from '../../pipeline/sequences/index.js';
import { createDataset, finalise, openDataset, openSlots, writeSlot } from '../../pipeline/shards/index.js';
import { openBackend } from '../../pipeline/tensor/index.js';
import {
  fitModel,
  loadProvenance,
  loadRecord,
  saveProvenance,
  saveTrained,
} from '../../pipeline/training/index.js';
import { RunConfig } from '../../schemas/config/index.js';
import { DatasetDescription, Evaluation, Metrics, type PlannedFrame } from '../../schemas/records/index.js';

const DAY = 86_400_000;
const [COUNT, SIZE, FROM] = [240, 8, Date.parse('2000-01-01')];
const BAD = 100;
const storm = (i: number) => i % 8 < 2;

let folder = '';
const at = (name: string) => join(folder, name);
let config: RunConfig;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stormreel-label-'));
  await openBackend();
  await makeDataset('dataset', 'msl');
  await writeFile(
    at('labels.csv'),
    `time,label\n${Array.from({ length: COUNT }, (_, i) => `${formatInstant(FROM + i * DAY)},${Number(storm(i))}`).join('\n')}\n`,
  );
  config = RunConfig.parse({
    dataset: at('dataset'),
    run: at('run'),
    ingest: { sources: [folder] },
    labels: { file: at('labels.csv') },
    split: {
      by: 'dates',
      train: ['2000-01-01', '2000-06-01'],
      test: ['2000-06-05', '2001-01-01'],
      embargo: '3d',
    },
    model: { encoder: { kind: 'evidence', widths: [4] }, head: { kind: 'gru', units: 2 } },
    training: { steps: 30, windowLength: 4, batch: 4 },
    labelling: { calibrationFolds: 2 },
  });
  await train();
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('labelling a run', () => {
  it('writes calibrated predictions, events, attention, evaluation and ladder, and the same bytes again', async () => {
    const input = { dataset: at('dataset'), runDir: at('run'), config };
    const result = await labelRun(input);
    const rows = await readPredictions(at('run/predictions.parquet'));
    expect(rows).toHaveLength(COUNT);
    expect(rows[BAD]).toMatchObject({ logit: null, probability: null, predicted: null, event_id: null });
    expect(new Set(rows.map(({ split }) => split))).toEqual(new Set(['train', 'none', 'test']));
    expect(result).toMatchObject({ frames: COUNT, bad: 1, calibration: { method: 'platt' } });
    expect((await loadRecord(at('run'))).calibration).toEqual(result.calibration);
    const metrics = Metrics.parse(JSON.parse(await readFile(at('run/metrics.json'), 'utf8')));
    const test = rows.filter((row) => row.split === 'test');
    expect(metrics.evaluations.test.n).toBe(test.length);
    expect(metrics.evaluations.test.auroc.value).toBeGreaterThan(0.8);
    expect(metrics.evaluations.test.auroc.ci95).not.toBeNull();
    expect(metrics.ladder.map(({ name }) => name)).toEqual([
      'climatology of the season',
      'low mean of msl',
      'minimum of msl',
      'minimum of msl frame anomaly',
      expect.stringMatching(/^m\w+ of msl Laplacian$/),
      'logistic regression on 20 principal components',
      'evidence model, each frame alone',
      'evidence model + GRU',
    ]);
    expect(metrics.ladder[0].skipped).toMatch(/less than a year/);
    const files = [
      'predictions.parquet',
      'predictions.csv',
      'events.csv',
      'events.geojson',
      'attention.arrow',
      'metrics.json',
      'model.json',
    ];
    const before = await Promise.all(files.map((name) => readFile(at(`run/${name}`))));
    const start = Date.now();
    await labelRun(input);
    expect(Date.now() - start).toBeLessThan(10_000);
    const after = await Promise.all(files.map((name) => readFile(at(`run/${name}`))));
    files.forEach((name, i) => {
      expect(after[i].equals(before[i]), name).toBe(true);
    });
  });

  it('is there for new data through the command, with the calibration of the run', async () => {
    const found = await call(labelCommand(), [
      at('dataset'),
      '--model',
      at('run'),
      '--out',
      at('new.csv'),
      '--attention',
      at('a.arrow'),
      '--json',
    ]);
    expect(JSON.parse(found)).toMatchObject({ frames: COUNT });
    const [ours, whole] = await Promise.all([
      readPredictions(at('new.csv')),
      readPredictions(at('run/predictions.parquet')),
    ]);
    expect(ours.map(({ probability, split }) => [probability, split])).toEqual(
      whole.map(({ probability, split }) => [probability, split]),
    );
    expect((await stat(at('new.events.csv'))).size).toBeGreaterThan(0);
    expect((await stat(at('a.arrow'))).size).toBeGreaterThan(COUNT * SIZE * SIZE * 4);
  });

  it('trains again on all non-test frames when asked, with the calibration from out of fold', async () => {
    await cp(at('run'), at('again'), { recursive: true });
    const before = await loadRecord(at('again'));
    const split = {
      by: 'dates',
      train: ['2000-01-01', '2000-05-01'],
      validation: ['2000-05-04', '2000-06-01'],
      test: ['2000-06-05', '2001-01-01'],
      embargo: '3d',
    };
    const other = RunConfig.parse({
      ...config,
      run: at('again'),
      split,
      labelling: { calibrationFolds: 2, refit: true, perFrameRung: false },
    });
    const store = await openDataset(config.dataset);
    const parts = makeSplit(store, await loadLabels(config.dataset, store), other.split, other.training);
    await saveProvenance(at('again'), { ...(await loadProvenance(at('run'))), config: other }, parts);
    await store.close();
    const { calibration, metrics } = await labelRun({
      dataset: config.dataset,
      runDir: at('again'),
      config: other,
    });
    const after = await loadRecord(at('again'));
    expect(after.positives + after.negatives).toBe(parts.part.filter((p) => p < 2).length - 1);
    expect(after.positives).not.toBe(before.positives);
    expect(calibration).toMatchObject({
      prior: after.prior,
      fittedOn: expect.stringMatching(/out-of-fold.*trained again/),
    });
    expect(Object.keys(metrics.evaluations)).toEqual(['test']);
    const blind = { ...other, labelling: { ...other.labelling, calibrationFolds: 0 } };
    await expect(
      labelRun({ dataset: config.dataset, runDir: at('again'), config: blind }),
    ).rejects.toMatchObject({ tag: 'ConfigError', fields: { calibrationFolds: 0 } });
  });

  it('of a dataset with other bands is refused', async () => {
    await makeDataset('other', 'z500');
    const found = await call(labelCommand(), [
      at('other'),
      '--model',
      at('run'),
      '--out',
      at('x.csv'),
      '--json',
    ]);
    expect(process.exitCode).toBe(2);
    process.exitCode = undefined;
    expect(JSON.parse(found).error.tag).toBe('ModelMismatchError');
  });
});

describe('stormreel evaluate', () => {
  it('gives the figures of the run for its test part', async () => {
    const args = [at('run/predictions.parquet'), at('labels.csv'), '--split', 'test', '--json'];
    const found = Evaluation.parse(JSON.parse(await call(evaluateCommand(), args)));
    const { evaluations } = JSON.parse(await readFile(at('run/metrics.json'), 'utf8')) as Metrics;
    for (const key of [
      'n',
      'positives',
      'auroc',
      'ap',
      'brier',
      'ece',
      'pod',
      'far',
      'csi',
      'hss',
      'sedi',
    ] as const)
      expect(found[key], key).toEqual(evaluations.test[key]);
  });

  it('says so when nothing is left to judge', async () => {
    const args = [at('run/predictions.csv'), at('labels.csv'), '--split', 'validation', '--json'];
    const found = JSON.parse(await call(evaluateCommand(), args));
    process.exitCode = undefined;
    expect(found.error).toMatchObject({ tag: 'ConfigError', fields: { split: 'validation' } });
  });
});

async function call(command: ReturnType<typeof labelCommand>, args: string[]): Promise<string> {
  let text = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => Boolean((text += chunk)));
  try {
    await command.parseAsync(args, { from: 'user' });
  } finally {
    spy.mockRestore();
  }
  return text;
}

async function train(): Promise<void> {
  const store = await openDataset(config.dataset);
  const { labels, split } = await labelled(store);
  const { model, training } = config;
  const record = {
    config,
    dataset: { path: config.dataset, hash: store.hash, frames: COUNT, bad: 1 },
    labels: { source: labels.source, hash: labels.hash, rule: labels.rule },
    split: { hash: split.hash, leaky: false, notes: [] },
    versions: {},
    backend: 'test',
  };
  await saveProvenance(config.run, record, split);
  await saveTrained(config.run, await fitModel({ store, labels, split, model, training }));
  await store.close();
}

async function labelled(
  store: Awaited<ReturnType<typeof openDataset>>,
): Promise<{ labels: LabelTable; split: Split }> {
  const blank = {
    series: null,
    event: null,
    ignore: 0 as const,
    lat: Number.NaN,
    lon: Number.NaN,
    where: '',
  };
  const rows = Array.from(store.index.time, (time, i) => ({
    time,
    label: Number(storm(i)) as 0 | 1,
    ...blank,
  }));
  const labels = joinLabels(store, rows, config.labels);
  await saveLabels(config.dataset, labels, store);
  return { labels, split: makeSplit(store, labels, config.split, config.training) };
}

/** Waves with a sharp low on storm days; one frame cannot be decoded. */
async function makeDataset(name: string, band: string): Promise<void> {
  const grid = { width: SIZE, height: SIZE, transform: [0, 1, 0, 50, 0, -1], crs: 'EPSG:4326' };
  const description = DatasetDescription.parse({
    formatVersion: 1,
    encoderVersion: 1,
    grid,
    sourceGrid: grid,
    bands: [{ name: band, unit: 'hPa', scale: 1, offset: 0 }],
    dtype: 'f32',
    resampling: 'nearest',
    stepMs: DAY,
    time: 'utc',
    series: [{ name: 'a', transform: null, footprint: null, tile: null }],
  });
  const frames: PlannedFrame[] = Array.from({ length: COUNT }, (_, i) => ({
    time: FROM + i * DAY,
    sources: [{ path: `${i}.tif`, size: 1, mtimeMs: 0, index: 0, bands: [{ from: 0, to: 0 }] }],
  }));
  await createDataset(at(name), description, new Map([['a', frames]]));
  const { BadRasterError } = await import('../../pipeline/errors.js');
  for (const slot of await openSlots(at(name)))
    await writeSlot(at(name), description, slot, {
      onBadFrame: 'skip',
      attempt: 1,
      decode: async ({ time }) => {
        const i = (time - FROM) / DAY;
        if (i === BAD) throw new BadRasterError('it ends early', { hint: 'get it again' });
        const values = Float32Array.from({ length: SIZE * SIZE }, (_, cell) => {
          const [row, column] = [Math.floor(cell / SIZE), cell % SIZE];
          const low = storm(i) && row === 2 + (i % 4) && column === 3 ? -9 : 0;
          return 1000 + 3 * Math.sin(i * 12.9898 + cell * 78.233) + low;
        });
        return { values, valid: new Uint8Array(SIZE * SIZE).fill(1), sources: [String(i)] };
      },
    });
  await finalise(at(name));
}
