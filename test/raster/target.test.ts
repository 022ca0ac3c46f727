import { describe, expect, it } from 'vitest';
import { inFolder, ingested, put, refusal, tif } from './sources.js';

/** 40 x 40 cells of Web Mercator from the equator to 4,000 km north, values by column. */
const mercator = (change = {}) =>
  tif({
    ...{ width: 40, height: 40, crs: 'EPSG:3857', transform: [0, 1e5, 0, 4e6, 0, -1e5] },
    values: Uint8Array.from({ length: 1600 }, (_, i) => i % 40),
    ...change,
  });
const degrees = { crs: 'EPSG:4326', grid: { width: 4, height: 3 }, extent: [2, 2, 30, 30] };

describe('the grid of a dataset', () => {
  inFolder();

  it('is in the CRS that is asked for; maps of any other are reprojected', async () => {
    await put({
      'a_20200101_0000Z.tif': mercator(),
      'a_20200101_0100Z.tif': tif({
        ...{ width: 40, height: 40, transform: [0, 1, 0, 40, 0, -1] },
        values: Uint8Array.from({ length: 1600 }, (_, i) => i % 40),
      }),
    });
    const { description, decode } = await ingested(degrees);
    expect(description.grid).toEqual({
      ...{ width: 4, height: 3, crs: 'EPSG:4326' },
      transform: [2, 7, 0, 30, 0, -28 / 3],
    });
    expect(description.dtype).toBe('f32');
    const [projected, plain] = [await decode(0), await decode(1)];
    for (let c = 0; c < 4; c++) {
      const lon = 2 + 7 * (c + 0.5);
      expect(projected[c]).toBeCloseTo((lon * 111319.49) / 1e5 - 0.5, 1);
      expect(plain[c]).toBeCloseTo(lon - 0.5, 4);
    }
  });

  it('says which flags to type where it cannot know them', async () => {
    await put({ 'a_20200101_0000Z.tif': mercator() });
    expect(await refusal({ crs: 'EPSG:4326' })).toMatchObject({
      tag: 'ConfigError',
      message: expect.stringContaining('--grid WxH and --extent'),
      hint: expect.stringContaining('--extent=0,0,35.93,33.79'),
      fields: { crs: 'EPSG:4326', found: 'EPSG:3857' },
    });
    expect(await refusal({ crs: 'EPSG:123456' })).toMatchObject({
      tag: 'ConfigError',
      fields: { crs: 'EPSG:123456' },
    });
  });

  it('refuses maps of another CRS unless one is asked for, and maps without one always', async () => {
    await put({ 'a_20200101_0000Z.tif': tif(), 'a_20200101_0100Z.tif': mercator() });
    expect(await refusal()).toMatchObject({
      tag: 'GridMismatchError',
      hint: expect.stringContaining('--crs EPSG:4326'),
      fields: { found: 'the CRS EPSG:3857', expected: 'EPSG:4326' },
    });
    await put({ 'a_20200101_0100Z.tif': tif({ transform: null, crs: 'none' }) });
    expect(await refusal({ crs: 'EPSG:4326' })).toMatchObject({
      tag: 'GridMismatchError',
      fields: { found: 'no georeference' },
    });
  });

  it('can be a part of the first map, in whole cells of it or a number of its own', async () => {
    await put({ 'a_20200101_0000Z.tif': tif() });
    const part = await ingested({ extent: [11, 43, 13, 45] });
    expect(part.description.grid).toMatchObject({ width: 2, height: 2, transform: [11, 1, 0, 45, 0, -1] });
    expect(await part.decode()).toEqual([1, 2, 4, 5]);
    const finer = await ingested({
      extent: [11, 43, 13, 45],
      grid: { width: 4, height: 4 },
      resampling: 'nearest',
    });
    expect((await finer.decode()).slice(0, 4)).toEqual([1, 1, 2, 2]);
    expect(await refusal({ extent: [11, 43, 12.5, 45] })).toMatchObject({
      tag: 'ConfigError',
      hint: expect.stringContaining('--grid WxH'),
      fields: { width: 1.5 },
    });
  });

  it('keeps the first map as it is where the CRS asked for is its own', async () => {
    await put({ 'a_20200101_0000Z.tif': tif() });
    const { description, decode } = await ingested({ crs: 'OGC:CRS84' });
    expect(description).toMatchObject({ dtype: 'u8', grid: { width: 3, crs: 'OGC:CRS84' } });
    expect(await decode()).toEqual([0, 1, 2, 3, 4, 5]);
  });
});
