import { cpSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { at, inFolder, ingested, put, refusal, tif } from './sources.js';

type Assets = Record<string, { href: string; type?: string; roles?: string[] }>;
const tiff = 'image/tiff; application=geotiff; profile=cloud-optimized';

const item = (id: string, properties: object, assets: Assets, more: object = {}) => ({
  ...{ type: 'Feature', stac_version: '1.0.0', id, geometry: null, links: [], collection: 'goes' },
  ...{ properties: { 'proj:epsg': 32633, ...properties }, assets },
  ...more,
});
const collection = (...features: object[]) => JSON.stringify({ type: 'FeatureCollection', features });
const [first, second] = ['2020-01-01T00:00:00Z', '2020-01-01T00:10:00+00:00'];
const maps = { 'maps/a.tif': tif(), 'maps/b.tif': tif({ values: Uint8Array.from([5, 4, 3, 2, 1, 0]) }) };

describe('STAC items', () => {
  inFolder();

  it('give the maps of a series with their times; the files say where they are', async () => {
    await put({
      ...maps,
      'items.json': collection(
        item('b', { datetime: second }, { data: { href: './maps/b.tif', type: tiff, roles: ['data'] } }),
        item(
          'a',
          { datetime: first },
          {
            data: { href: `file://${at('maps/a.tif')}`, type: tiff, roles: ['data'] },
            thumbnail: { href: 'a.png', type: 'image/png', roles: ['thumbnail'] },
            info: { href: 'a.xml', type: 'application/xml' },
          },
        ),
      ),
    });
    const { series, times, description, decode } = await ingested({ sources: [at('items.json')] });
    expect(series).toEqual(['goes']);
    expect(times).toEqual([['2020-01-01T00:00:00.000Z', '2020-01-01T00:10:00.000Z']]);
    expect(description.grid).toMatchObject({ crs: 'EPSG:4326', width: 3 });
    expect([await decode(0), await decode(1)]).toEqual([
      [0, 1, 2, 3, 4, 5],
      [5, 4, 3, 2, 1, 0],
    ]);
  });

  it('with an asset for each band make one map of them; --bands chooses by key', async () => {
    const assets = {
      ir: { href: 'maps/a.tif', roles: ['data'] },
      wv: { href: 'maps/b.tif', roles: ['data'] },
    };
    await put({ ...maps, 'one.json': JSON.stringify(item('one', { datetime: first }, assets)) });
    const both = await ingested({ sources: [at('one.json')] });
    expect(both.description.bands.map(({ name }) => name)).toEqual(['ir', 'wv']);
    expect((await both.decode()).slice(0, 4)).toEqual([0, 5, 1, 4]);
    const one = await ingested({ sources: [at('one.json')], bands: ['wv'] });
    expect(one.description.bands.map(({ name }) => name)).toEqual(['wv']);
    expect(await one.decode()).toEqual([5, 4, 3, 2, 1, 0]);
  });

  it('may name NetCDF and Zarr, which bring their own times', async () => {
    mkdirSync(at('maps'));
    const golden = (path: string) => fileURLToPath(new URL(`../golden/${path}`, import.meta.url));
    cpSync(golden('zarr/xarray_two.zarr'), at('maps/x.zarr'), { recursive: true });
    cpSync(golden('cf/scalar_time.nc'), at('maps/s.nc'));
    const of = (href: string, datetime: string) =>
      put({ 'i.json': JSON.stringify(item('i', { datetime }, { data: { href } })) });
    await of('maps/x.zarr', first);
    expect((await ingested({ sources: [at('i.json')], bands: ['msl'] })).times[0]).toHaveLength(3);
    await of('maps/s.nc', first);
    expect(await refusal({ sources: [at('i.json')] })).toMatchObject({
      tag: 'TimeError',
      fields: { item: Date.UTC(2020, 0, 1), inside: Date.UTC(2022, 2, 8, 8, 26, 40, 500) },
    });
  });

  it('that cover a span are refused until somebody says which end counts', async () => {
    const span = { datetime: null, start_datetime: first, end_datetime: second };
    await put({ ...maps, 's.json': JSON.stringify(item('s', span, { data: { href: 'maps/a.tif' } })) });
    const sources = [at('s.json')];
    expect(await refusal({ sources })).toMatchObject({
      tag: 'TimeError',
      hint: expect.stringContaining('--stac-time'),
      fields: { item: 's', start: first, end: second },
    });
    expect((await ingested({ sources, stacTime: 'end' })).times).toEqual([['2020-01-01T00:10:00.000Z']]);
    await put({ 's.json': JSON.stringify(item('s', { datetime: null }, { data: { href: 'maps/a.tif' } })) });
    expect(await refusal({ sources })).toMatchObject({ tag: 'TimeError', fields: { start: null } });
    await put({
      's.json': JSON.stringify(
        item('s', { datetime: '2020-01-01T00:00:00' }, { data: { href: 'maps/a.tif' } }),
      ),
    });
    expect(await refusal({ sources })).toMatchObject({
      tag: 'TimeError',
      hint: expect.stringContaining('--assume-utc'),
    });
  });

  it.each([
    ['{', 'no JSON'],
    ['[]', 'document without a type'],
    [JSON.stringify({ type: 'Catalog', id: 'c', links: [] }), 'Catalog'],
    [collection({ type: 'Feature', id: 'x' }), 'item 0'],
    [collection(), 'collection of 0 items'],
    [JSON.stringify(item('x', { datetime: first }, { t: { href: 'gopher://x/t.tif' } })), 'gopher://'],
    [JSON.stringify(item('x', { datetime: first }, {})), 'assets []'],
    [
      JSON.stringify(item('x', { datetime: first }, { t: { href: 't.png', roles: ['thumbnail'] } })),
      'assets [t]',
    ],
  ])('that cannot be are refused: %s', async (text, found) => {
    await put({ 'bad.json': text });
    expect(await refusal({ sources: [at('bad.json')] })).toMatchObject({
      tag: 'BadRasterError',
      message: expect.stringContaining(found),
    });
  });

  it('whose file is not there are listed, and the others go on', async () => {
    await put({
      ...maps,
      'items.json': collection(
        item('a', { datetime: first }, { data: { href: 'maps/a.tif' } }),
        item('gone', { datetime: second }, { data: { href: 'maps/gone.tif' } }),
      ),
    });
    const { rejected, times } = await ingested({ sources: [at('items.json')], onBadFrame: 'skip' });
    expect(rejected).toMatchObject([{ path: at('maps/gone.tif') }]);
    expect(times).toEqual([['2020-01-01T00:00:00.000Z']]);
    expect(await refusal({ sources: [at('items.json')] })).toMatchObject({
      tag: 'ConfigError',
      fields: { code: 'ENOENT' },
    });
  });

  it('that are wrong are listed by their names, and the others of the collection go on', async () => {
    await put({
      ...maps,
      'items.json': collection(
        item('a', { datetime: first }, { data: { href: 'maps/a.tif' } }),
        item('no-time', {}, { data: { href: 'maps/b.tif' } }),
        { type: 'Feature', id: 7 },
      ),
    });
    const { rejected, times } = await ingested({ sources: [at('items.json')], onBadFrame: 'skip' });
    expect(rejected).toMatchObject([
      { path: at('items.json#2'), tag: 'BadRasterError' },
      { path: at('items.json#no-time'), tag: 'TimeError' },
    ]);
    expect(times).toEqual([['2020-01-01T00:00:00.000Z']]);
    expect(await refusal({ sources: [at('items.json')] })).toMatchObject({ tag: 'BadRasterError' });
  });

  it('are read only where the JSON file itself is named: in a folder it lies beside a map', async () => {
    await put({ 'maps/a_20200101T00Z.tif': tif(), 'maps/items.json': collection() });
    expect((await ingested({ sources: [at('maps')] })).times).toEqual([['2020-01-01T00:00:00.000Z']]);
  });
});
