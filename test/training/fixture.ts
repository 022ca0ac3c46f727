/** A small dataset in memory: a low that deepens on storm frames, at a known cell, on fields of waves and noise. */

import type { LabelTable } from '../../pipeline/labels/index.js';
import { Random } from '../../pipeline/random.js';
import type { Split } from '../../pipeline/sequences/index.js';
import { type FrameStore, memoryStore } from '../../pipeline/shards/store.js';
import { ModelConfig, TrainingConfig } from '../../schemas/config/index.js';
import type { DatasetDescription } from '../../schemas/records/index.js';

const HOUR = 3_600_000;

export interface SmallOptions {
  seriesCount?: number;
  frames?: number;
  size?: number;
  seed?: number;
  /** Frames that are bad. */
  bad?: readonly number[];
  bands?: readonly string[];
}

export interface Small {
  store: FrameStore;
  labels: LabelTable;
  split: Split;
}

/** The last series is the test part, the one before it validates, the others train. */
export function small({
  seriesCount = 6,
  frames = 20,
  size = 10,
  seed = 1,
  bad = [],
  bands = ['msl', 't2m'],
}: SmallOptions = {}): Small {
  const random = Random.from(seed);
  const total = seriesCount * frames;
  const cells = size * size;
  const values = new Float32Array(total * cells * bands.length);
  const [label, lat, lon] = [new Int8Array(total), new Float32Array(total), new Float32Array(total)];
  for (let i = 0; i < total; i++) {
    const at = i % frames;
    label[i] = at >= 5 && at < 5 + Math.ceil(frames / 3) ? 1 : 0;
    const [row, column] = [2 + random.integer(size - 4), 2 + random.integer(size - 4)];
    lat[i] = label[i] ? 50 - row : Number.NaN;
    lon[i] = label[i] ? column : Number.NaN;
    for (let cell = 0; cell < cells; cell++)
      for (let b = 0; b < bands.length; b++) {
        const distance = (Math.floor(cell / size) - row) ** 2 + ((cell % size) - column) ** 2;
        const low = label[i] && b === 0 ? -18 * Math.exp(-distance / 2) : 0;
        values[(i * cells + cell) * bands.length + b] = 1000 + 4 * random.normal() + low;
      }
  }
  const index = {
    length: total,
    seriesNames: Array.from({ length: seriesCount }, (_, s) => `s${s}`),
    series: Uint32Array.from({ length: total }, (_, i) => Math.floor(i / frames)),
    time: Float64Array.from({ length: total }, (_, i) => Date.UTC(2020, 0, 1) + (i % frames) * 6 * HOUR),
    ok: Uint8Array.from({ length: total }, (_, i) => (bad.includes(i) ? 0 : 1)),
  };
  const grid: DatasetDescription['grid'] = {
    width: size,
    height: size,
    transform: [-0.5, 1, 0, 50.5, 0, -1],
    crs: 'EPSG:4326',
  };
  const description: DatasetDescription = {
    formatVersion: 1,
    encoderVersion: 1,
    grid,
    sourceGrid: grid,
    bands: bands.map((name) => ({ name, unit: null, scale: 1, offset: 0 })),
    dtype: 'f32',
    resampling: 'nearest',
    stepMs: 6 * HOUR,
    time: 'utc',
    series: index.seriesNames.map((name) => ({ name, transform: null, footprint: null, tile: null })),
  };
  const part = index.series.map((s) => (s === seriesCount - 1 ? 2 : s === seriesCount - 2 ? 1 : 0));
  return {
    store: memoryStore({ description, index, values, hash: `${seed}`.padStart(64, '0') }),
    labels: {
      source: 'made',
      hash: 'made',
      rule: '',
      label,
      ignore: new Uint8Array(total),
      event: new Int32Array(total).fill(-1),
      eventNames: [],
      lat,
      lon,
    },
    split: {
      part: Uint8Array.from(part),
      config: { by: 'series', train: ['*'], validation: [], test: [], embargo: '0h' },
      hash: 'split',
      embargoMs: 0,
      leaky: false,
      notes: [],
    },
  };
}

type ModelInput = Parameters<typeof ModelConfig.parse>[0] & object;
export const modelConfig = (input: ModelInput = {}): ModelConfig => ModelConfig.parse(input);
export const trainingConfig = (input: object = {}): TrainingConfig =>
  TrainingConfig.parse({ windowLength: 6, batch: 4, steps: 12, ...input });
