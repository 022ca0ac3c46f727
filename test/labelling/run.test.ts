import { cp, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { command as evaluateCommand } from '../../cli/evaluate.js';
import { command as labelCommand } from '../../cli/label.js';
import { labelRun, readPredictions } from '../../pipeline/labelling/index.js';
import { loadLabels } from '../../pipeline/labels/index.js';
import { makeSplit } from '../../pipeline/sequences/index.js';
import { openDataset } from '../../pipeline/shards/index.js';
import { openBackend } from '../../pipeline/tensor/index.js';
import { loadProvenance, loadRecord, saveProvenance } from '../../pipeline/training/index.js';
import { RunConfig } from '../../schemas/config/index.js';
import { Evaluation, Metrics } from '../../schemas/records/index.js';
import { BAD, COUNT, makeDataset, SIZE, storedRun } from './storedRun.js';

let folder = '';
const at = (name: string) => join(folder, name);
let config: RunConfig;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stormreel-label-'));
  await openBackend();
  config = await storedRun(folder);
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
    // A storm begins every eighth day; frames without one are no event.
    const trained = rows.flatMap(({ split }, i) =>
      split === 'train' && i % 8 < 2 ? [Math.floor(i / 8)] : [],
    );
    expect(result.calibration.events).toBe(new Set(trained).size);
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
    await makeDataset(at('other'), 'z500');
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
