/** Daily maps as files, a dataset of the first of them, and a small run with an anomaly model: what a watch starts from. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fitAnomaly, saveAnomaly } from '../../pipeline/anomaly/index.js';
import { labelFrames, priorCalibration } from '../../pipeline/labelling/index.js';
import { joinLabels, saveLabels } from '../../pipeline/labels/index.js';
import { encodeGeoTiff, type GeoTiffImage } from '../../pipeline/raster/index.js';
import { makeSplit } from '../../pipeline/sequences/index.js';
import { openDataset } from '../../pipeline/shards/index.js';
import { fitModel, saveProvenance, saveRecord, saveTrained } from '../../pipeline/training/index.js';
import { AnomalyConfig, RunConfig } from '../../schemas/config/index.js';
import { fillHere } from '../integration/fillHere.js';

export const DAY = 86_400_000;
export const FROM = Date.UTC(2000, 0, 1);
const SIZE = 8;
/** Frames that the model learns from. */
export const TRAINED = 120;
const storm = (i: number) => i % 8 < 2;

export const mapName = (i: number): string =>
  `m_${new Date(FROM + i * DAY).toISOString().slice(0, 10).replaceAll('-', '')}T0000Z.tif`;

/** Waves with a sharp low on storm days. */
export function mapBytes(i: number, change: Partial<GeoTiffImage> = {}): Uint8Array {
  return encodeGeoTiff({
    width: SIZE,
    height: SIZE,
    bands: 1,
    dtype: 'f32',
    values: Float32Array.from({ length: SIZE * SIZE }, (_, cell) => {
      const [row, column] = [Math.floor(cell / SIZE), cell % SIZE];
      const low = storm(i) && row === 2 + (i % 4) && column === 3 ? -9 : 0;
      return 1000 + 3 * Math.sin(i * 12.9898 + cell * 78.233) + low;
    }),
    transform: [0, 1, 0, 50, 0, -1],
    crs: 'EPSG:4326',
    bandNames: ['msl'],
    compression: 'none',
    ...change,
  });
}

/** Maps `from` to `to` less one appear whole, as a careful sender puts them. */
export async function putMaps(folder: string, from: number, to: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let i = from; i < to; i++) await putMap(folder, i, mapBytes(i));
}

export async function putMap(folder: string, i: number, bytes: Uint8Array): Promise<void> {
  await writeFile(join(folder, `.${mapName(i)}`), bytes);
  await rename(join(folder, `.${mapName(i)}`), join(folder, mapName(i)));
}

/** Writes `trained/maps`, `trained/dataset` and `run` into `folder`; a backend must be open. */
export async function liveRun(folder: string, anomaly = true): Promise<RunConfig> {
  const at = (name: string) => join(folder, name);
  await putMaps(at('trained/maps'), 0, TRAINED);
  await fillHere(at('trained/dataset'), { sources: [at('trained/maps')] });
  const config = RunConfig.parse({
    dataset: at('trained/dataset'),
    run: at('run'),
    ingest: { sources: [at('trained/maps')] },
    labels: {},
    split: {
      by: 'dates',
      train: ['2000-01-01', '2000-03-20'],
      test: ['2000-04-01', '2001-01-01'],
      embargo: '1h',
    },
    model: { encoder: { kind: 'evidence', widths: [4] }, head: { kind: 'gru', units: 3 } },
    training: { steps: 40, windowLength: 5, batch: 8 },
    anomaly: { features: 4, windowLength: 3, units: 6, latent: 2, steps: 20 },
  });
  const store = await openDataset(config.dataset);
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
  const split = makeSplit(store, labels, config.split, config.training);
  const { model, training } = config;
  const trained = await fitModel({ store, labels, split, model, training });
  await saveProvenance(
    config.run,
    {
      config,
      dataset: { path: config.dataset, hash: store.hash, frames: store.index.length, bad: 0 },
      labels: { source: labels.source, hash: labels.hash, rule: labels.rule },
      split: { hash: split.hash, leaky: false, notes: [] },
      versions: {},
      backend: 'test',
    },
    split,
  );
  await saveTrained(config.run, trained);
  const found = await labelFrames(trained, store, priorCalibration(trained.prior));
  const ordered = [...found.probability].sort((x, y) => x - y);
  const [low, high] = [0.7, 0.8].map((q) => ordered[Math.floor(q * ordered.length)]);
  const calibration = { ...priorCalibration(trained.prior, { high, low }), fittedOn: 'the test' };
  await saveRecord(config.run, { ...trained, calibration });
  if (anomaly) {
    const own = AnomalyConfig.parse(config.anomaly);
    await saveAnomaly(config.run, (await fitAnomaly({ store, labels, split, config: own })).model);
  }
  await store.close();
  return config;
}
