/** Reports made of arrays, and the modules of the page's script. */
import type { ReportData } from '../../pipeline/reports/data.js';
import { type FrameIndex, memoryStore } from '../../pipeline/shards/index.js';
import type {
  DatasetDescription,
  Estimate,
  Evaluation,
  Metrics,
  Series,
} from '../../schemas/records/index.js';

export const HOUR = 3_600_000;
export const FROM = Date.parse('2026-03-25T00:00Z');

/** A module of assets/player; plain JavaScript without types. */
// biome-ignore lint/suspicious/noExplicitAny: the page's script has no types
export const playerModule = (name: string): Promise<any> =>
  import(new URL(`../../pipeline/reports/assets/player/${name}.js`, import.meta.url).href);

const estimate = (value: number): Estimate => ({ value, ci95: [value - 0.1, value + 0.05] });

export function evaluation(n: number, positives: number): Evaluation {
  const names = [
    'auroc',
    'ap',
    'brier',
    'bss',
    'logLoss',
    'eceEqualWidth',
    'eceEqualMass',
    'ece',
    'pod',
    'far',
  ];
  const more = ['pofd', 'csi', 'bias', 'hss', 'ets', 'pss', 'sedi'];
  const estimates = Object.fromEntries([...names, ...more].map((name) => [name, estimate(0.8)]));
  return {
    ...estimates,
    n,
    positives,
    events: 9,
    intervals: '2,000 draws over 9 events',
    counts: { tp: 3, fp: 1, fn: 2, tn: 4 },
    eventScores: {
      pod: estimate(0.7),
      precision: estimate(0.6),
      f1: estimate(0.65),
      falseEvents: 2,
      onsetErrorHours: { value: null, ci95: null, reason: 'no event was found' },
    },
    curves: {
      roc: [
        [0, 0],
        [0.1, 0.7],
        [1, 1],
      ],
      pr: [
        [0, 1],
        [0.7, 0.8],
        [1, positives / n],
      ],
      reliability: [{ from: 0, to: 0.5, n: 5, meanProbability: 0.2, observed: 0.25 }],
    },
  } as unknown as Evaluation;
}

export const METRICS: Metrics = {
  evaluations: { test: evaluation(10, 4) },
  ladder: [
    {
      name: 'climatology',
      auroc: estimate(0.5),
      ap: estimate(0.4),
      aurocGain: null,
      apGain: null,
      verdict: null,
    },
    {
      name: 'minimum of msl',
      auroc: estimate(0.7),
      ap: estimate(0.6),
      aurocGain: estimate(0.2),
      apGain: estimate(0.2),
      verdict: 'better',
    },
    {
      name: 'evidence model',
      auroc: estimate(0.8),
      ap: estimate(0.8),
      aurocGain: estimate(0.1),
      apGain: estimate(0.2),
      verdict: 'better',
    },
  ],
  anomaly: [{ name: 'autoencoder', auroc: estimate(0.6), ap: estimate(0.5) }],
  anomalyAlarms: [{ alpha: 0.05, share: 0.5, frames: 6 }],
};

export interface Shape {
  frames?: number;
  size?: number;
  series?: Series[];
  grid?: Partial<DatasetDescription['sourceGrid']>;
  title?: string;
}

const ONE: Series[] = [{ name: 'a', transform: null, footprint: null, tile: null }];

/** A report with every piece; frames are spread evenly over the series. Every eighth pair of frames is a storm. */
export function report({
  frames = 40,
  size = 12,
  series = ONE,
  grid = {},
  title = 'Storms',
}: Shape = {}): ReportData {
  const tiled = series[0].tile !== null;
  const place = { width: size, height: size, transform: [0, 1, 0, 50, 0, -1], crs: 'EPSG:4326' } as const;
  const sourceGrid = {
    ...place,
    transform: [...place.transform],
    ...grid,
  } as DatasetDescription['sourceGrid'];
  const description: DatasetDescription = {
    formatVersion: 1,
    encoderVersion: 1,
    grid: tiled ? { width: size, height: size, transform: null, crs: 'none' } : sourceGrid,
    sourceGrid,
    bands: [
      { name: 'msl', unit: 'Pa', scale: 1, offset: 0 },
      { name: 't2m', unit: 'K', scale: 1, offset: 0 },
    ],
    dtype: 'f32',
    resampling: 'nearest',
    stepMs: HOUR,
    time: 'utc',
    series,
  };
  const each = frames / series.length;
  const index: FrameIndex = {
    length: frames,
    seriesNames: series.map((s) => s.name),
    series: Uint32Array.from({ length: frames }, (_, f) => Math.floor(f / each)),
    time: Float64Array.from({ length: frames }, (_, f) => FROM + (f % each) * HOUR),
    ok: new Uint8Array(frames).fill(1),
  };
  index.ok[3] = 0;
  const cells = size * size;
  const storm = (f: number) => f % 8 < 2;
  const values = Float32Array.from({ length: frames * cells * 2 }, (_, i) => {
    const [f, cell, band] = [Math.floor(i / 2 / cells), Math.floor(i / 2) % cells, i % 2];
    const wave = Math.sin(f * 0.7 + cell * 0.11) + 0.3 * Math.sin(cell * 12.9898);
    return band ? 285 + 6 * wave : 101_000 + 900 * wave - (storm(f) && cell === cells >> 1 ? 4000 : 0);
  });
  const store = {
    ...memoryStore({ description, index, values, hash: 'a'.repeat(64) }),
    frameReason: (f: number) => (f === 3 ? 'BadRasterError: it ends early' : null),
  };
  const probability = Float64Array.from({ length: frames }, (_, f) =>
    f === 3 ? Number.NaN : storm(f) ? 0.9 - f / 1e4 : 0.1,
  );
  const nan = () => new Float32Array(frames).fill(Number.NaN);
  const scores = Float64Array.from({ length: frames }, (_, f) => 4 + Math.sin(f));
  return {
    title,
    about: 'A season that never was.',
    attribution: ['Maps by nobody, CC0.'],
    run: '/runs/one',
    index,
    store,
    labels: {
      source: 'truth',
      hash: 'b'.repeat(64),
      rule: 'exact time',
      label: Int8Array.from({ length: frames }, (_, f) => Number(storm(f))),
      ignore: new Uint8Array(frames),
      event: new Int32Array(frames).fill(-1),
      eventNames: [],
      lat: nan().fill(45, 0, 1),
      lon: nan().fill(6, 0, 1),
    },
    split: {
      part: Uint8Array.from({ length: frames }, (_, f) => (f < frames / 2 ? 0 : 2)),
      by: 'dates',
      hash: 'c'.repeat(64),
      embargoMs: 24 * HOUR,
      leaky: false,
      notes: ['one season'],
    },
    predictions: {
      probability,
      predicted: Int8Array.from(probability, (p) => (Number.isNaN(p) ? -1 : Number(p > 0.5))),
      event: Int32Array.from({ length: frames }, (_, f) => (storm(f) ? 1 + Math.floor(f / 8) : 0)),
      context: new Int32Array(frames).fill(1),
    },
    scores: {
      score: scores,
      window: scores,
      p: scores.map((s) => 1 / s),
      pca: scores,
      persistence: scores,
      norm: scores,
    },
    events: [0, 1].map((i) => {
      const f = frames - 8 * (i + 1);
      return {
        event_id: 1 + Math.floor(f / 8),
        series: index.seriesNames[index.series[f]],
        start: index.time[f],
        end: index.time[f + 1],
        frames: 2,
        peak_time: index.time[f],
        peak_probability: 0.9,
        mean_probability: 0.85,
        lat: i ? null : 45,
        lon: i ? null : 6,
      };
    }),
    metrics: METRICS,
    log: [
      { member: 0, step: 1, loss: 0.9, framesPerSecond: 100 },
      { member: 0, step: 2, loss: 0.6, framesPerSecond: 120, validationAp: 0.5 },
    ],
    attention: {
      width: size,
      height: size,
      map: (f) =>
        Float32Array.from({ length: cells }, (_, cell) => Math.exp(-((cell - ((f * 7) % cells)) ** 2) / 40)),
      taps: [],
      scale: () => null,
    },
    provenance: null,
    facts: { Model: 'encoder evidence, each frame alone' },
    missing: [],
  };
}

/** Tiles round the world in a northern and a southern row; the southern ones are stored upside down. */
export function worldTiles(size = 12, step = 30): { series: Series[]; grid: Shape['grid'] } {
  const series = [20, 100].flatMap((row) =>
    Array.from({ length: 360 / step }, (_, i): Series => {
      const column = i * step;
      const north = 80 - row;
      const flip = row > 90;
      return {
        name: `r${row}c${column}`,
        transform: [column, 1, 0, flip ? north - size : north, 0, flip ? 1 : -1],
        footprint: [column, north - size, column + size, north],
        tile: { row, column, height: size, width: size, margin: 0, flip },
      };
    }),
  );
  return { series, grid: { width: 360, height: 160, transform: [0, 1, 0, 80, 0, -1] } };
}
