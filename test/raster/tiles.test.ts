import { describe, expect, it } from 'vitest';
import { footprint, tileSeries } from '../../pipeline/raster/tiles.js';
import { IngestConfig, type Tiles } from '../../schemas/config/index.js';
import type { Grid } from '../../schemas/records/index.js';

const globe: Grid = {
  ...{ width: 360, height: 181, crs: 'EPSG:4326', transform: [-0.5, 1, 0, 90.5, 0, -1] },
};
const tilesOf = (tiles: object): Tiles => IngestConfig.parse({ sources: ['x'], tiles }).tiles!;
const refused = (grid: Grid, tiles: object) => () => tileSeries(grid, tilesOf(tiles), 'era5', true);

describe('tiles', () => {
  it('cover the map by strides, whole tiles only, and are named by their first cell', () => {
    const series = tileSeries(globe, tilesOf({ size: 60, stride: 60 }), 'era5', true);
    expect(series).toHaveLength(3 * 6);
    expect(series[0]).toMatchObject({
      name: 'n90_e000',
      footprint: [-0.5, 30.5, 59.5, 90.5],
      tile: { row: 0, column: 0, width: 60, height: 60, flip: false },
    });
    expect(series.at(-1)?.name).toBe('s30_e300');
    expect(new Set(series.map(({ name }) => name)).size).toBe(series.length);
  });

  it('are named after their map where there are several, and by row and column off whole degrees', () => {
    const local: Grid = { width: 8, height: 8, crs: 'EPSG:3035', transform: [0, 250, 0, 0, 0, -250] };
    const names = tileSeries(local, tilesOf({ size: 4, stride: 4 }), 'alps', false).map(({ name }) => name);
    expect(names).toEqual(['alps.r000_c000', 'alps.r000_c004', 'alps.r004_c000', 'alps.r004_c004']);
  });

  it('run over the date line when asked to, with footprints past the edge', () => {
    const series = tileSeries(globe, tilesOf({ size: 32, stride: 6, rows: [22], wrap: true }), 'era5', true);
    expect(series).toHaveLength(60);
    expect(series.at(-1)).toMatchObject({ name: 'n68_e354', footprint: [353.5, 36.5, 385.5, 68.5] });
  });

  it('south of the equator are turned over when asked to, transform and all', () => {
    const [north, south] = tileSeries(
      globe,
      tilesOf({ size: 32, stride: 360, rows: [22, 117], flipSouth: true }),
      'era5',
      true,
    );
    expect(north).toMatchObject({ tile: { flip: false }, transform: [-0.5, 1, 0, 68.5, 0, -1] });
    expect(south).toMatchObject({
      ...{ name: 's27_e000', tile: { flip: true }, transform: [-0.5, 1, 0, -58.5, 0, 1] },
      footprint: [-0.5, -58.5, 31.5, -26.5],
    });
  });

  it('that do not fit, or wrap on a map that is no full circle, are refused', () => {
    const part = { ...globe, width: 300 };
    for (const [grid, tiles] of [
      [globe, { size: 200, stride: 10 }],
      [globe, { size: 32, stride: 10, rows: [160] }],
      [globe, { size: 32, stride: 10, margin: 16 }],
      [part, { size: 32, stride: 10, wrap: true }],
    ] as const)
      expect(refused(grid, tiles)).toThrow(
        expect.objectContaining({ tag: 'ConfigError', hint: expect.any(String) }),
      );
  });

  it('footprint() is west, south, east, north whatever the signs of the cells', () => {
    expect(footprint({ ...globe, width: 2, height: 2, transform: [10, -1, 0, 40, 0, 2] })).toEqual([
      8, 40, 10, 44,
    ]);
    expect(footprint({ ...globe, transform: null })).toBeNull();
  });
});
