import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readHeader } from '../../pipeline/raster/format.js';
import { DEFAULT_LIMITS } from '../../pipeline/raster/limits.js';
import { definitionOf, isGeographicCrs, sameCrs } from '../../pipeline/raster/projection/definition.js';
import { lattice, TOLERANCE } from '../../pipeline/raster/projection/lattice.js';
import { boundsIn, pointMove } from '../../pipeline/raster/projection/transform.js';
import { resample, resampler } from '../../pipeline/raster/resample.js';
import type { Grid } from '../../schemas/records/index.js';

interface Box {
  crs: string;
  bounds: [number, number, number, number];
  width: number;
  height: number;
}
interface Warp {
  name: string;
  source: Box;
  target: Box;
  values: number[];
  nearest: (number | null)[];
  bilinear: (number | null)[];
}
const file = (name: string) => fileURLToPath(new URL(`../golden/crs/${name}`, import.meta.url));
const read = <T>(name: string): T => JSON.parse(readFileSync(file(name), 'utf8'));
const warps = read<Warp[]>('warps.json');
const points = read<Record<string, [number, number, number | null, number | null][]>>('points.json');
const files = read<Record<string, string>>('files.json');

const grid = ({ crs, bounds: [west, south, east, north], width, height }: Box): Grid => ({
  ...{ width, height, crs },
  transform: [west, (east - west) / width, 0, north, 0, (south - north) / height],
});

/** Null where invalid. */
function bring(source: Grid, values: number[], target: Grid, method: 'nearest' | 'bilinear' | 'area') {
  const cells = target.width * target.height;
  const out = { values: new Float32Array(cells), valid: new Uint8Array(cells).fill(1), step: 1, at: 0 };
  const valid = Uint8Array.from(values, (v) => Number(Number.isFinite(v)));
  resample(
    resampler(source, target, method)!,
    { values: Float64Array.from(values), valid, width: source.width },
    out,
  );
  return Array.from(out.values, (v, cell) => (out.valid[cell] ? v : null));
}

/** Largest change from a cell to the next, rows and columns added up. */
function steepest(values: number[], width: number): number {
  let [across, down] = [0, 0];
  values.forEach((v, i) => {
    if ((i + 1) % width) across = Math.max(across, Math.abs(values[i + 1] - v));
    if (i + width < values.length) down = Math.max(down, Math.abs(values[i + width] - v));
  });
  return across + down;
}

describe('points of a CRS', () => {
  it.each(Object.keys(points))('are those of pyproj: %s', (crs) => {
    const move = pointMove('EPSG:4326', crs);
    const out = new Float64Array(2);
    let [compared, empty] = [0, 0];
    for (const [lon, lat, x, y] of points[crs]) {
      move(lon, lat, out);
      if (x === null) expect(out[0], `${lon} ${lat} is no place there`).toBeNaN();
      if (x === null || y === null || Number.isNaN(out[0])) {
        empty++;
        continue;
      }
      const near = isGeographicCrs(crs) || crs.includes('ob_tran') ? 1e-6 : crs.includes('km') ? 1e-3 : 2;
      expect(Math.abs(out[0] - x), `${lon} ${lat}: ${out} not ${x} ${y}`).toBeLessThan(near);
      expect(Math.abs(out[1] - y), `${lon} ${lat}: ${out} not ${x} ${y}`).toBeLessThan(near);
      compared++;
    }
    expect(compared).toBeGreaterThan(0);
    expect(compared).toBeGreaterThan(empty / 4);
  });

  it('have one CRS under several names', () => {
    expect(sameCrs('EPSG:4326', 'OGC:CRS84')).toBe(true);
    expect(sameCrs('+proj=longlat +datum=WGS84', 'EPSG:4326')).toBe(true);
    expect(sameCrs('EPSG:4326', 'EPSG:3857')).toBe(false);
    expect(sameCrs('unknown', 'none')).toBe(false);
    expect(isGeographicCrs('EPSG:4269')).toBe(true);
    expect(isGeographicCrs('EPSG:3413')).toBe(false);
    for (const name of ['EPSG:999999', 'EPSG:9999', 'unknown', 'none', 'mars', '+proj=nonsense'])
      expect(definitionOf(name), name).toBeNull();
  });

  it('know the box of a map in another CRS, space around a disc left out', () => {
    const { source } = warps.find(({ name }) => name === 'seviri')!;
    const [west, south, east, north] = boundsIn(source.bounds, source.crs, 'EPSG:4326')!;
    for (const edge of [-west, -south, east, north]) expect(edge).toBeGreaterThan(65);
    for (const edge of [-west, -south, east, north]) expect(edge).toBeLessThan(82);
  });
});

describe('a map of another CRS', () => {
  it.each(warps)('is brought to the grid as by rasterio: $name', ({ source, target, values, ...golden }) => {
    for (const method of ['nearest', 'bilinear'] as const) {
      const found = bring(grid(source), values, grid(target), method);
      let [both, apart, holes] = [0, 0, 0];
      let worst = 0;
      found.forEach((value, cell) => {
        const expected = golden[method][cell];
        if ((value === null) !== (expected === null)) holes++;
        if (value === null || expected === null) return;
        both++;
        worst = Math.max(worst, Math.abs(value - expected));
        if (Math.abs(value - expected) > 1e-3) apart++;
      });
      expect(both).toBeGreaterThan(30);
      expect(holes).toBeLessThanOrEqual(0.03 * found.length);
      // The warper's own places are off by up to an eighth of a cell: a nearest cell may be the next one, a bilinear value
      // moves by as much as the map changes over that.
      if (method === 'nearest') expect(apart).toBeLessThanOrEqual(0.1 * both);
      expect(worst).toBeLessThan((method === 'nearest' ? 1 : 0.4) * steepest(values, source.width));
    }
  });

  it('has no cells around the disc of a satellite, and none that is NaN', () => {
    const { source, target, values } = warps.find(({ name }) => name === 'to_seviri')!;
    for (const method of ['nearest', 'bilinear', 'area'] as const) {
      const found = bring(grid(source), values, grid(target), method);
      expect([0, 15, 240, 255].map((corner) => found[corner])).toEqual([null, null, null, null]);
      expect(found[8 * 16 + 8]).not.toBeNull();
      expect(found.some((v) => Number.isNaN(v))).toBe(false);
    }
  });

  it('is averaged by area: a smooth map keeps its values, a hole of most of a cell makes it invalid', () => {
    const source = grid({ crs: 'EPSG:3857', bounds: [0, 0, 4e6, 4e6], width: 400, height: 400 });
    const target = grid({ crs: 'EPSG:4326', bounds: [2, 2, 30, 30], width: 7, height: 7 });
    const ramp = Array.from({ length: 160_000 }, (_, i) => i % 400);
    const found = bring(source, ramp, target, 'area');
    found.forEach((value, cell) => {
      const lon = 2 + 4 * ((cell % 7) + 0.5);
      expect(value).toBeCloseTo((lon / 180) * 20037508.34 * 1e-4 - 0.5, 0);
    });
    const holed = bring(
      source,
      ramp.map((v) => (v < 120 ? Number.NaN : v)),
      target,
      'area',
    );
    expect(holed.filter((v) => v === null).length).toBeGreaterThan(7);
    expect(holed.some((v) => v !== null && v < 100)).toBe(false);
  });

  it('crosses the date line of a global map without a seam', () => {
    const source = grid({ crs: 'EPSG:4326', bounds: [-180, 40, 180, 90], width: 360, height: 50 });
    const target = grid({ crs: 'EPSG:3413', bounds: [-2e6, -2e6, 2e6, 2e6], width: 40, height: 40 });
    const values = Array.from({ length: 360 * 50 }, (_, i) => Math.cos(((i % 360) * Math.PI) / 180));
    for (const method of ['nearest', 'bilinear', 'area'] as const)
      expect(bring(source, values, target, method)).not.toContain(null);
  });
});

describe('the lattice of places', () => {
  it('stays within its tolerance of every exact place, and asks for few of them', () => {
    const { source, target } = warps.find(({ name }) => name === 'seviri')!;
    const move = pointMove(target.crs, source.crs);
    const size = 400;
    let asked = 0;
    const place = (c: number, r: number, out: Float64Array) => {
      asked++;
      move(60 + (c * 25) / size, 50 - (r * 25) / size, out);
      out[0] = (out[0] + 5568748) / 3000;
      out[1] = (5568748 - out[1]) / 3000;
    };
    const { columns, rows } = lattice(size, size, place);
    expect(asked).toBeLessThan(0.4 * size * size);
    const out = new Float64Array(2);
    let worst = 0;
    for (let i = 0; i < size * size; i++) {
      place(i % size, Math.floor(i / size), out);
      if (Number.isNaN(out[0])) expect(columns[i]).toBeNaN();
      else worst = Math.max(worst, Math.abs(columns[i] - out[0]), Math.abs(rows[i] - out[1]));
    }
    expect(worst).toBeLessThan(0.125);
    expect(TOLERANCE).toBeLessThan(0.125);
  });
});

describe('a GeoTIFF that spells its CRS out', () => {
  it.each(Object.keys(files))('has the places of the CRS it was written in: %s', async (name) => {
    const { crs } = await readHeader(file(`${name}.tif`), DEFAULT_LIMITS);
    const [theirs, ours] = [pointMove('EPSG:4326', files[name]), pointMove('EPSG:4326', crs)];
    const [a, b] = [new Float64Array(2), new Float64Array(2)];
    for (const [lon, lat] of [
      [15, 50],
      [-10, 35],
      [-60, 70],
      [12, 5],
    ]) {
      theirs(lon, lat, a);
      ours(lon, lat, b);
      if (Number.isNaN(a[0])) expect(b[0]).toBeNaN();
      else expect(Math.hypot(a[0] - b[0], a[1] - b[1]), crs).toBeLessThan(0.01);
    }
  });
});
