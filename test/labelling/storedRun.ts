/** A small dataset on disk with labels, and a run trained on it: what labelling and reports start from. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatInstant, joinLabels, type LabelTable, saveLabels } from '../../pipeline/labels/index.js';
import { makeSplit, type Split } from '../../pipeline/sequences/index.js';
import { createDataset, finalise, openDataset, openSlots, writeSlot } from '../../pipeline/shards/index.js';
import { fitModel, saveProvenance, saveTrained } from '../../pipeline/training/index.js';
import { RunConfig } from '../../schemas/config/index.js';
import { DatasetDescription, type PlannedFrame } from '../../schemas/records/index.js';

const DAY = 86_400_000;
const FROM = Date.parse('2000-01-01');
export const [COUNT, SIZE] = [240, 8];
export const BAD = 100;
const storm = (i: number) => i % 8 < 2;

/** Writes `dataset`, `labels.csv` and `run` into `folder`; a backend must be open. */
export async function storedRun(folder: string): Promise<RunConfig> {
  const at = (name: string) => join(folder, name);
  await makeDataset(at('dataset'), 'msl');
  await writeFile(
    at('labels.csv'),
    `time,label\n${Array.from({ length: COUNT }, (_, i) => `${formatInstant(FROM + i * DAY)},${Number(storm(i))}`).join('\n')}\n`,
  );
  const config = RunConfig.parse({
    dataset: at('dataset'),
    run: at('run'),
    ingest: { sources: [folder] },
    labels: { file: at('labels.csv') },
    split: {
      by: 'dates',
      train: ['2000-01-01', '2000-06-01'],
      test: ['2000-06-05', '2001-01-01'],
      embargo: '1h',
    },
    model: { encoder: { kind: 'evidence', widths: [4] }, head: { kind: 'gru', units: 2 } },
    training: { steps: 30, windowLength: 4, batch: 4 },
    labelling: { calibrationFolds: 2 },
  });
  await train(config);
  return config;
}

async function train(config: RunConfig): Promise<void> {
  const store = await openDataset(config.dataset);
  const { labels, split } = await labelled(store, config);
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
  config: RunConfig,
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
export async function makeDataset(dir: string, band: string): Promise<void> {
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
  await createDataset(dir, description, new Map([['a', frames]]));
  const { BadRasterError } = await import('../../pipeline/errors.js');
  for (const slot of await openSlots(dir))
    await writeSlot(dir, description, slot, {
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
  await finalise(dir);
}
