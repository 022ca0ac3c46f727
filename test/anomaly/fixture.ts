/** A made series whose frames are three patterns with slowly changing strengths, noise, and anomalies where asked for. */
import type { LabelTable } from '../../pipeline/labels/index.js';
import { Random } from '../../pipeline/random.js';
import type { Split } from '../../pipeline/sequences/index.js';
import { type FrameStore, memoryStore } from '../../pipeline/shards/index.js';
import { AnomalyConfig } from '../../schemas/config/index.js';
import type { DatasetDescription } from '../../schemas/records/index.js';

const HOUR = 3_600_000;
const SIZE = 8;

export interface MadeOptions {
  frames?: number;
  seed?: number;
  /** Frames whose first pattern is six times as strong as it ever is. */
  strange?: readonly number[];
  bad?: readonly number[];
  band?: string;
  /** `none`: pictures without times. */
  time?: 'utc' | 'none';
}

export interface Made {
  store: FrameStore;
  labels: LabelTable;
  split: Split;
}

/** The first six tenths train, then two tenths validate, then two test; gaps of 5 frames between. Strange frames are storms. */
export function made({
  frames = 400,
  seed = 1,
  strange = [],
  bad = [],
  band = 'msl',
  time = 'utc',
}: MadeOptions = {}): Made {
  const random = Random.from(seed);
  const cells = SIZE * SIZE;
  const values = new Float32Array(frames * cells);
  const strength = [0, 0, 0];
  for (let i = 0; i < frames; i++) {
    strength.forEach((s, k) => {
      strength[k] = 0.85 * s + 0.5 * random.normal();
    });
    for (let cell = 0; cell < cells; cell++) {
      const [row, column] = [Math.floor(cell / SIZE), cell % SIZE];
      const patterns = [Math.sin(row), Math.cos(column), Math.sin(row + column)];
      const wave = patterns.reduce((sum, pattern, k) => sum + pattern * strength[k], 0);
      const odd = strange.includes(i) ? 6 * patterns[0] : 0;
      values[i * cells + cell] = 1000 + 5 * (wave + odd) + random.normal();
    }
  }
  const index = {
    length: frames,
    seriesNames: ['a'],
    series: new Uint32Array(frames),
    time: Float64Array.from({ length: frames }, (_, i) =>
      time === 'none' ? i : Date.UTC(2020, 0, 1) + 6 * HOUR * i,
    ),
    ok: Uint8Array.from({ length: frames }, (_, i) => (bad.includes(i) ? 0 : 1)),
  };
  const grid: DatasetDescription['grid'] = {
    width: SIZE,
    height: SIZE,
    transform: [0, 1, 0, 50, 0, -1],
    crs: 'EPSG:4326',
  };
  const description: DatasetDescription = {
    formatVersion: 1,
    encoderVersion: 1,
    grid,
    sourceGrid: grid,
    bands: [{ name: band, unit: null, scale: 1, offset: 0 }],
    dtype: 'f32',
    resampling: 'nearest',
    stepMs: time === 'none' ? null : 6 * HOUR,
    time,
    series: [{ name: 'a', transform: null, footprint: null, tile: null }],
  };
  const store = memoryStore({ description, index, values, hash: `${seed}`.padStart(64, '0') });
  return { store, labels: labelled(frames, strange), split: parts(frames) };
}

export const anomalyConfig = (input: object = {}): AnomalyConfig =>
  AnomalyConfig.parse({ features: 4, windowLength: 4, units: 10, latent: 3, steps: 60, ...input });

function labelled(frames: number, storms: readonly number[]): LabelTable {
  return {
    source: 'made',
    hash: 'made',
    rule: '',
    label: Int8Array.from({ length: frames }, (_, i) => Number(storms.includes(i))),
    ignore: new Uint8Array(frames),
    event: Int32Array.from({ length: frames }, (_, i) => storms.indexOf(i)),
    eventNames: storms.map(String),
    lat: new Float32Array(frames).fill(Number.NaN),
    lon: new Float32Array(frames).fill(Number.NaN),
  };
}

const GAP = 5;

function parts(frames: number): Split {
  const [validation, test] = [Math.floor(0.6 * frames), Math.floor(0.8 * frames)];
  const part = Uint8Array.from({ length: frames }, (_, i) => {
    if (i < validation) return 0;
    if (i < validation + GAP) return 3;
    if (i < test) return 1;
    return i < test + GAP ? 3 : 2;
  });
  return {
    part,
    config: {
      by: 'dates',
      train: ['2020-01-01', '2020-01-02'],
      test: ['2020-02-01', '2020-02-02'],
      embargo: '30h',
    },
    hash: 'split',
    embargoMs: GAP * 6 * HOUR,
    leaky: false,
    notes: [],
  };
}
