import { describe, expect, it } from 'vitest';
import { centreCells, folderLabels, joinLabels } from '../../pipeline/labels/index.js';
import { LabelsConfig } from '../../schemas/config/index.js';
import type { DatasetDescription, PlannedFrame } from '../../schemas/records/index.js';
import { description, frameIndex, series, steps } from './frames.js';

function planned(time: number, ...paths: string[]): PlannedFrame {
  return {
    time,
    sources: paths.map((path) => ({ path, size: 1, mtimeMs: 0, index: 0, bands: [{ from: 0, to: 0 }] })),
  };
}

describe('folderLabels', () => {
  const times = steps('2020-01-01T00:00Z', 6);
  const classes = { calm: 0, storm: 1 } as const;
  const config = LabelsConfig.parse({ fromFolder: classes });
  const truth = ['calm', 'calm', 'storm', 'storm', 'calm', 'storm'];

  it('gives each frame the class of its own folder at its own time, however folders were listed', () => {
    const classByClass = ['storm', 'calm'].flatMap((name) =>
      times.flatMap((t, i) => (truth[i] === name ? [planned(t, `maps/${name}/${i}.tif`)] : [])),
    );
    const frames = { description: description(), index: frameIndex({ a: times }) };
    const table = joinLabels(frames, folderLabels(new Map([['a', classByClass]]), classes), config);
    expect([...table.label]).toEqual([0, 0, 1, 1, 0, 1]);
    expect(table.source).toBe('folders');
  });
  it('labels pictures without times by their place in the plan', () => {
    const pictures = {
      description: description({ time: 'none', stepMs: null }),
      index: frameIndex({ a: [0, 1] }),
    };
    const rows = folderLabels(
      new Map([['a', [planned(1, 'x\\storm\\b.png'), planned(0, 'x\\calm\\a.png')]]]),
      classes,
    );
    expect([...joinLabels(pictures, rows, config).label]).toEqual([0, 1]);
  });
  it('refuses a folder outside the class list and one frame in two classes', () => {
    const of =
      (...paths: string[]) =>
      () =>
        folderLabels(new Map([['a', [planned(0, ...paths)]]]), classes);
    expect(of('maps/gale/1.tif')).toThrow(
      expect.objectContaining({
        tag: 'LabelJoinError',
        fields: { path: 'maps/gale/1.tif', folder: 'gale', classes: ['calm', 'storm'] },
      }),
    );
    expect(of('toString/1.tif')).toThrow(expect.objectContaining({ tag: 'LabelJoinError' }));
    expect(of('calm/1.tif', 'storm/1.tif')).toThrow(expect.objectContaining({ tag: 'LabelJoinError' }));
  });
});

describe('centreCells', () => {
  const world = {
    width: 360,
    height: 181,
    transform: [-0.5, 1, 0, 90.5, 0, -1] as [number, number, number, number, number, number],
    crs: 'EPSG:4326',
  };
  const cellOf = (lat: number, lon: number, over: Partial<DatasetDescription>, label: 0 | 1 = 1) => {
    const frames = { description: description(over), index: frameIndex({ a: [0] }) };
    const row = { time: 0, label, series: null, event: null, ignore: 0 as const, lat, lon, where: '' };
    return centreCells(frames, joinLabels(frames, [row], LabelsConfig.parse({ file: 'x' })))[0];
  };
  it('finds the nearest cell of the whole grid, with longitudes of either convention', () => {
    expect(cellOf(90, 0, { grid: world })).toBe(0);
    expect(cellOf(40.4, 15.4, { grid: world })).toBe(50 * 360 + 15);
    expect(cellOf(40.6, 15.6, { grid: world })).toBe(49 * 360 + 16);
    expect(cellOf(0, -10, { grid: world })).toBe(90 * 360 + 350);
    expect(cellOf(0, 350, { grid: world })).toBe(90 * 360 + 350);
  });
  it('finds the cell in tiles that wrap and in tiles that are flipped', () => {
    const tile = (row: number, column: number, flip: boolean) => ({
      grid: { width: 32, height: 32, transform: null, crs: 'EPSG:4326' },
      sourceGrid: world,
      series: [series('a', { tile: { row, column, height: 32, width: 32, margin: 4, flip } })],
    });
    expect(cellOf(60, 2, tile(22, 350, false))).toBe(8 * 32 + 12);
    expect(cellOf(60, -9, tile(22, 350, false))).toBe(8 * 32 + 1);
    expect(cellOf(-30, 100, tile(117, 96, false))).toBe(3 * 32 + 4);
    expect(cellOf(-30, 100, tile(117, 96, true))).toBe(28 * 32 + 4);
    expect(cellOf(60, 30, tile(22, 350, false))).toBe(-1);
    expect(cellOf(20, 2, tile(22, 350, false))).toBe(-1);
  });
  it('is -1 without storm, without centre and without geographic coordinates', () => {
    expect(cellOf(40, 15, { grid: world }, 0)).toBe(-1);
    expect(cellOf(Number.NaN, 15, { grid: world })).toBe(-1);
    expect(cellOf(40, 15, { grid: { ...world, crs: 'none', transform: null } })).toBe(-1);
    expect(cellOf(40, 15, { grid: { ...world, crs: 'EPSG:32633' } })).toBe(-1);
  });
});
