import type { FrameIndex } from '../../pipeline/shards/store.js';
import type { DatasetDescription, Series } from '../../schemas/records/index.js';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** A description of a small dataset for tests. */
export function description(overrides: Partial<DatasetDescription> = {}): DatasetDescription {
  const grid = { width: 4, height: 3, transform: null, crs: 'none' };
  return {
    formatVersion: 1,
    encoderVersion: 1,
    grid,
    sourceGrid: overrides.grid ?? grid,
    bands: [{ name: 'msl', unit: 'Pa', scale: 1, offset: 0 }],
    dtype: 'f32',
    resampling: 'nearest',
    stepMs: HOUR,
    time: 'utc',
    series: [series('a')],
    ...overrides,
  };
}

export function series(name: string, overrides: Partial<Series> = {}): Series {
  return { name, transform: null, footprint: null, tile: null, ...overrides };
}

/** Frames of several series at the times given. */
export function frameIndex(times: Record<string, number[]>): FrameIndex {
  const seriesNames = Object.keys(times);
  const pairs = seriesNames.flatMap((name, s) => times[name].map((time) => [s, time]));
  return {
    length: pairs.length,
    seriesNames,
    series: Uint32Array.from(pairs, ([s]) => s),
    time: Float64Array.from(pairs, ([, time]) => time),
    ok: new Uint8Array(pairs.length).fill(1),
  };
}

/** `count` times from `start` (a date), `step` apart. */
export function steps(start: string, count: number, step = HOUR): number[] {
  return Array.from({ length: count }, (_, i) => Date.parse(start) + i * step);
}
