import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Random } from '../../pipeline/random.js';
import {
  isFullCircle,
  isTurned,
  type Resampler,
  type Resampling,
  resample,
  resampleBands,
  resampler,
  sameGrid,
} from '../../pipeline/raster/resample.js';
import type { Grid } from '../../schemas/records/index.js';

interface Case extends Omit<Grid, 'crs'> {
  name: string;
  method: Resampling;
  kind: 'plain' | 'holes';
  values: (number | null)[];
}
interface Golden extends Omit<Grid, 'crs'> {
  plain: (number | null)[];
  holes: (number | null)[];
  cases: Case[];
}
const golden: Golden = JSON.parse(readFileSync(new URL('../golden/resample.json', import.meta.url), 'utf8'));
const crs = 'EPSG:4326';

/** Null where invalid. */
function bring(
  source: Grid,
  values: readonly (number | null)[],
  target: Grid,
  method: Resampling,
): (number | null)[] {
  const weights = resampler(source, target, method);
  if (!weights) return [...values];
  const cells = target.width * target.height;
  const out = { values: new Float32Array(cells), valid: new Uint8Array(cells).fill(1), step: 1, at: 0 };
  const valid = Uint8Array.from(values, (v) => Number(v !== null));
  resample(
    weights,
    { values: Float64Array.from(values, (v) => v ?? -1e30), valid, width: source.width },
    out,
  );
  return Array.from(out.values, (v, cell) => (out.valid[cell] ? v : null));
}

describe('resampling', () => {
  const { width, height, transform } = golden;
  const source = { width, height, transform, crs };

  it.each(golden.cases.filter((c) => c.kind === 'plain'))(
    'is that of rasterio: $name, $method',
    ({ values, method, ...grid }) => {
      const found = bring(source, golden.plain, { ...grid, crs }, method);
      found.forEach((value, cell) => {
        if (value !== null) expect(value).toBeCloseTo(values[cell] ?? Number.NaN, 3);
        // Cells of which less than half lies on the map: the warper keeps them, here they are invalid.
        else if (method !== 'area') expect(values[cell]).toBeNull();
      });
      expect(found.some((value) => value !== null)).toBe(true);
    },
  );

  it.each(golden.cases.filter((c) => c.kind === 'holes'))(
    'gives invalid cells no weight: $name, $method',
    ({ values, method, ...grid }) => {
      const found = bring(source, golden.holes, { ...grid, crs }, method);
      found.forEach((value, cell) => {
        // The warper gives up a bilinear cell whose centre lies in a hole; here more than half of the weight counts.
        if (value === null || (method === 'bilinear' && values[cell] === null)) return;
        expect(value).toBeCloseTo(values[cell] ?? Number.NaN, 3);
      });
      if (method === 'nearest') expect(found.map((v) => v === null)).toEqual(values.map((v) => v === null));
    },
  );

  it('wraps around a full circle of longitude and joins -180..180 to 0..360', () => {
    const globe = { width: 12, height: 1, transform: [0, 30, 0, 90, 0, -180], crs } as Grid;
    const values = Array.from({ length: 12 }, (_, i) => i);
    expect(isFullCircle(globe)).toBe(true);
    const west = { ...globe, transform: [-180, 30, 0, 90, 0, -180] } as Grid;
    for (const method of ['nearest', 'bilinear', 'area'] as const)
      expect(bring(globe, values, west, method)).toEqual([6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5]);
    const half = { ...globe, transform: [-15, 30, 0, 90, 0, -180] } as Grid;
    expect(bring(globe, values, half, 'bilinear').slice(0, 2)).toEqual([5.5, 0.5]);
    const region = { ...globe, width: 3, transform: [-60, 30, 0, 90, 0, -180] } as Grid;
    expect(bring(globe, values, region, 'area')).toEqual([10, 11, 0]);
  });

  it('takes grids for the same only where all their corners are', () => {
    const row = { width: 1000, height: 2, transform: [0, 0.1, 0, 10, 0, -0.1], crs } as Grid;
    const cells = (dx: number, dy = -0.1) => ({ ...row, transform: [0, dx, 0, 10, 0, dy] }) as Grid;
    expect(sameGrid(row, cells(0.1 + 1e-7))).toBe(true);
    expect(sameGrid(row, cells(0.10005))).toBe(false); // half a cell at the far end
    expect(sameGrid({ ...row, height: 1000 }, { ...cells(0.1, -0.10005), height: 1000 })).toBe(false);
  });

  it('takes a global map for a turned one only where columns and rows are the same', () => {
    const globe = { width: 72, height: 36, transform: [-180, 5, 0, 90, 0, -5], crs } as Grid;
    const other = (transform: number[]) => ({ ...globe, transform }) as Grid;
    expect(isTurned(globe, other([0, 5, 0, 90, 0, -5]))).toBe(true);
    expect(isTurned(other([-175, 5, 0, 90, 0, -5]), globe)).toBe(true);
    expect(isTurned(globe, other([-177.5, 5, 0, 90, 0, -5]))).toBe(false); // half a column
    expect(isTurned(globe, other([0, 5, 0, 36, 0, -2]))).toBe(false); // other rows
    expect(isTurned(globe, other([180, -5, 0, 90, 0, -5]))).toBe(false); // mirrored
  });

  it('lets a map of 0..360 that is no full circle meet a target in -180..180', () => {
    const atlantic = { width: 4, height: 1, transform: [300, 10, 0, 10, 0, -10], crs } as Grid;
    const target = { ...atlantic, transform: [-60, 10, 0, 10, 0, -10] } as Grid;
    expect(bring(atlantic, [1, 2, 3, 4], target, 'nearest')).toEqual([1, 2, 3, 4]);
    expect(bring(target, [1, 2, 3, 4], atlantic, 'bilinear')).toEqual([1, 2, 3, 4]);
  });

  it('says nothing of places outside the map, as the warper does', () => {
    const row = { width: 4, height: 1, transform: [10, 2, 0, 50, 0, -2], crs } as Grid;
    const wider = { width: 12, height: 1, transform: [8, 1, 0, 50, 0, -2], crs } as Grid;
    // Centres at 8.5, 9.5, ... 19.5; the map reaches from 10 to 18. Numbers by NumPy's interp.
    expect(bring(row, [1, 2, 3, 4], wider, 'bilinear')).toEqual([
      null,
      null,
      1,
      1.25,
      1.75,
      2.25,
      2.75,
      3.25,
      3.75,
      4,
      null,
      null,
    ]);
    const above = { width: 4, height: 3, transform: [10, 2, 0, 52.5, 0, -1], crs } as Grid;
    expect(bring(row, [1, 2, 3, 4], above, 'bilinear').map((v) => v === null)).toEqual(
      Array.from({ length: 12 }, (_, i) => i < 8),
    );
  });

  it('stretches maps without a place over the same square', () => {
    const small = { width: 2, height: 2, transform: null, crs: 'none' };
    const large = { ...small, width: 4, height: 4 };
    expect(bring(small, [1, 2, 3, 4], large, 'nearest').slice(0, 8)).toEqual([1, 1, 2, 2, 1, 1, 2, 2]);
    expect(bring(large, [...Array(16).keys()], small, 'area')).toEqual([2.5, 4.5, 10.5, 12.5]);
  });

  it('keeps a cell that is half valid and drops one that is less', () => {
    const row = { width: 4, height: 1, transform: null, crs: 'none' };
    expect(bring(row, [1, null, 3, null], { ...row, width: 2 }, 'area')).toEqual([1, 3]);
    expect(bring(row, [1, null, null, null], { ...row, width: 1 }, 'area')).toEqual([null]);
  });

  it('gives the bits of the plain weighted mean, with and without invalid cells', () => {
    const source = { width: 37, height: 29, transform: [0, 1, 0, 29, 0, -1], crs: 'EPSG:32633' } as Grid;
    const target = { width: 23, height: 41, transform: [-2, 1.7, 0, 30, 0, -0.75], crs: source.crs } as Grid;
    const random = Random.from(5);
    const values = Float32Array.from({ length: 37 * 29 }, () => random.normal() * 1e3);
    for (const method of ['nearest', 'bilinear', 'area'] as const)
      for (const holes of [0, 0.3]) {
        const valid = Uint8Array.from(values, () => Number(random.uniform() >= holes));
        const weights = resampler(source, target, method)!;
        const out = {
          values: new Float32Array(23 * 41 * 2),
          valid: new Uint8Array(23 * 41).fill(1),
          step: 2,
        };
        resampleBands(
          weights,
          { bands: [values], valid, width: 37, whole: holes === 0 },
          { ...out, places: [1] },
        );
        const expected = plainMean(weights as Resampler, values, valid);
        expect(out.values.filter((_, i) => i % 2 === 1)).toEqual(expected.values);
        expect(out.valid).toEqual(expected.valid);
        expect(expected.valid.includes(0) && expected.valid.includes(1)).toBe(true);
      }
  });
});

/** The definition, cell by cell. */
function plainMean({ rows, columns }: Resampler, values: Float32Array, valid: Uint8Array) {
  const [height, width] = [rows.start.length - 1, columns.start.length - 1];
  const out = { values: new Float32Array(height * width), valid: new Uint8Array(height * width) };
  for (let cell = 0; cell < height * width; cell++) {
    const [row, column] = [Math.floor(cell / width), cell % width];
    let [sum, weight] = [0, 0];
    for (let r = rows.start[row]; r < rows.start[row + 1]; r++)
      for (let c = columns.start[column]; c < columns.start[column + 1]; c++) {
        const from = rows.cells[r] * 37 + columns.cells[c];
        if (!valid[from]) continue;
        sum += rows.weights[r] * columns.weights[c] * values[from];
        weight += rows.weights[r] * columns.weights[c];
      }
    if (weight < 0.5 * (1 - 1e-9)) continue;
    out.values[cell] = sum / weight;
    out.valid[cell] = 1;
  }
  return out;
}
