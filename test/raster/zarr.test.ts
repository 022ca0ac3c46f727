import { cpSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { mapCache } from '../../pipeline/raster/cache.js';
import { decodeMap, readHeader } from '../../pipeline/raster/format.js';
import { DEFAULT_LIMITS } from '../../pipeline/raster/limits.js';
import { storeHash } from '../../pipeline/raster/zarr/index.js';
import { at, inFolder, ingested, refusal } from './sources.js';

const golden = fileURLToPath(new URL('../golden/zarr/', import.meta.url));
/** What xarray reads: times, and each band as `[time, lat, lon]` with null where it masks. */
const index: Record<string, { times: string[]; bands: Record<string, (number | null)[]> }> = JSON.parse(
  readFileSync(join(golden, 'index.json'), 'utf8'),
);
const all = Object.entries(index).flatMap(([store, { bands }]) =>
  Object.keys(bands).map((band) => ({ store, band })),
);
const none = new Uint8Array(0);

async function frame(path: string, band: string, i: number, cache = mapCache(2 ** 20)) {
  const { header, map } = await decodeMap(path, none, [band], i, DEFAULT_LIMITS, cache);
  const { scale, offset } = header.bands.find(({ selector }) => selector === band)!;
  return Array.from(map.valid, (ok, cell) => (ok ? map.bands[0][cell] * scale + offset : null));
}

const failure = (path: string, band = 'zlib') => frame(path, band, 0).catch((error) => error);

/** A small store of version 2 with one field of 2 x 2 cells at 2 times, to be spoilt. */
function store(
  name: string,
  { array = {}, chunk = new Uint8Array(32) }: { array?: object; chunk?: Uint8Array } = {},
) {
  const folder = at(name);
  const put = (variable: string, shape: number[], dims: string[], data: Uint8Array, more: object = {}) => {
    mkdirSync(join(folder, variable), { recursive: true });
    writeFileSync(
      join(folder, variable, '.zarray'),
      JSON.stringify({
        ...{
          zarr_format: 2,
          shape,
          chunks: shape,
          dtype: '<f4',
          fill_value: null,
          order: 'C',
          compressor: null,
          filters: null,
        },
        ...more,
      }),
    );
    const units =
      variable === 'time' ? 'hours since 2020-01-01' : variable === 'lat' ? 'degrees_north' : 'degrees_east';
    writeFileSync(join(folder, variable, '.zattrs'), JSON.stringify({ _ARRAY_DIMENSIONS: dims, units }));
    writeFileSync(join(folder, variable, shape.map(() => 0).join('.')), data);
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, '.zgroup'), '{"zarr_format":2}');
  const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
  put('time', [2], ['time'], floats(0, 6));
  put('lat', [2], ['lat'], floats(50, 40));
  put('lon', [2], ['lon'], floats(0, 10));
  put('f', [2, 2, 2], ['time', 'lat', 'lon'], chunk, array);
  return folder;
}

describe('the Zarr reader', () => {
  inFolder();

  it.each(all)('reads $band of $store as xarray does', async ({ store: name, band }) => {
    const path = join(golden, name);
    const header = await readHeader(path, DEFAULT_LIMITS);
    expect(header).toMatchObject({
      ...{ width: 12, height: 5, crs: 'EPSG:4326', transform: [-15, 30, 0, 75, 0, -30] },
    });
    expect(header.times!.map((t) => new Date(t).toISOString().replace('.000', ''))).toEqual(
      index[name].times,
    );
    const expected = index[name].bands[band];
    for (let i = 0; i < 3; i++)
      expect(await frame(path, band, i)).toEqual(expected.slice(i * 60, (i + 1) * 60));
  });

  it('reads truth values as 0 and 1', async () => {
    const path = store('truth.zarr', {
      array: { dtype: '|b1' },
      chunk: Uint8Array.of(1, 0, 0, 1, 1, 1, 0, 0),
    });
    expect(await frame(path, 'f', 0)).toEqual([1, 0, 0, 1]);
    expect(await frame(path, 'f', 1)).toEqual([1, 1, 0, 0]);
  });

  it('is a source like any other: a folder that holds it, or the store itself', async () => {
    cpSync(join(golden, 'xarray_two.zarr'), at('maps/xarray.zarr'), { recursive: true });
    for (const source of [at('maps'), at('maps/xarray.zarr')]) {
      const { times, decode, description } = await ingested({ sources: [source], bands: ['msl', 't2m'] });
      expect(times).toEqual([index['xarray_two.zarr'].times.map((t) => t.replace('Z', '.000Z'))]);
      expect(description.bands.map(({ name, unit }) => [name, unit])).toEqual([
        ['msl', 'hPa'],
        ['t2m', 'K'],
      ]);
      const values = await decode(1);
      expect(values[0]).toBeCloseTo(index['xarray_two.zarr'].bands.msl[60]!, 5);
    }
  });

  it('plans a time anew when one of its chunks is written again, and no other', async () => {
    cpSync(join(golden, 'two.zarr'), at('two.zarr'), { recursive: true });
    const planned = async () =>
      [...(await ingested({ bands: ['nested'] })).frames.values()][0].map(({ sources }) => sources[0]);
    const before = await planned();
    utimesSync(at('two.zarr/nested/2/0/0'), new Date('2030-01-01'), new Date('2030-01-01'));
    const after = await planned();
    expect(after.map(({ mtimeMs }, i) => mtimeMs !== before[i].mtimeMs)).toEqual([false, false, true]);
    const { decode } = await ingested({ bands: ['nested'] });
    utimesSync(at('two.zarr/nested/2/0/0'), new Date('2031-01-01'), new Date('2031-01-01'));
    expect(await decode(0)).toHaveLength(60);
    expect(await decode(2).catch((e) => e)).toMatchObject({
      tag: 'SourceChangedError',
      fields: { index: 2 },
    });
  });

  it('is hashed over the metadata and the chunks of its time', async () => {
    const hash = (i: number) => storeHash(store('h.zarr'), ['f'], i, DEFAULT_LIMITS, (_, work) => work());
    const first = await hash(0);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await hash(1)).toBe(first); // both times lie in one chunk
    store('h.zarr', { chunk: new Uint8Array(32).fill(1) });
    expect(await storeHash(at('h.zarr'), ['f'], 0, DEFAULT_LIMITS, (_, work) => work())).not.toBe(first);
  });

  it('takes the units of a time axis without any from --time-units', async () => {
    const path = store('bare.zarr');
    writeFileSync(join(path, 'time/.zattrs'), '{"_ARRAY_DIMENSIONS": ["time"]}');
    expect(await refusal()).toMatchObject({
      tag: 'TimeError',
      hint: expect.stringContaining('--time-units'),
    });
    const { times } = await ingested({ timeUnits: 'hours since 1940-01-01' });
    expect(times).toEqual([['1940-01-01T00:00:00.000Z', '1940-01-01T06:00:00.000Z']]);
  });

  it('decodes a chunk of many times once', async () => {
    const cache = mapCache(2 ** 20);
    let decoded = 0;
    const { chunk } = cache;
    cache.chunk = (key, decode) =>
      chunk(key, () => {
        if (key.includes('/f/')) decoded++;
        return decode();
      });
    const path = store('once.zarr');
    for (const i of [0, 1, 0]) await frame(path, 'f', i, cache);
    expect(decoded).toBe(1);
  });

  it.each([
    ['gzip', gzipSync(new Uint8Array(64 << 20)), { id: 'gzip', level: 1 }],
    ['zlib', deflateSync(new Uint8Array(64 << 20)), { id: 'zlib', level: 1 }],
    [
      'blosc',
      Uint8Array.from([2, 1, 1, 4, 0, 0, 0, 64, 0, 0, 16, 0, 20, 0, 0, 0, 0, 0, 0, 0]),
      { id: 'blosc', cname: 'lz4', clevel: 5, shuffle: 1 },
    ],
    ['lz4', Uint8Array.from([0, 0, 0, 64, 1, 2, 3]), { id: 'lz4', acceleration: 1 }],
    [
      'zstd',
      Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 64, 2, 0, 0, 0]),
      { id: 'zstd', level: 1 },
    ],
  ])('refuses a bomb in %s before it fills the memory', async (_, chunk, compressor) => {
    const path = store('bomb.zarr', { chunk, array: { compressor } });
    expect(await failure(path, 'f')).toMatchObject({ tag: 'BadRasterError', fields: { path: `${path}/f` } });
  });

  it('refuses chunks that are too short, too long, or said to be larger than a map may be', async () => {
    for (const length of [31, 28, 64])
      expect(await failure(store('short.zarr', { chunk: new Uint8Array(length) }), 'f')).toMatchObject({
        tag: 'BadRasterError',
      });
    const path = store('huge.zarr', { array: { chunks: [2 ** 20, 2 ** 10, 2 ** 10] } });
    expect(await readHeader(path, DEFAULT_LIMITS).catch((e) => e)).toMatchObject({
      tag: 'BadRasterError',
      message: expect.stringContaining('one chunk has'),
    });
  });

  it('refuses metadata that cannot be, each with what is wrong', async () => {
    const broken: [object, string][] = [
      [{ shape: [2, 2, -2] }, 'shape'],
      [{ chunks: [2, 2] }, 'dimensions'],
      [{ chunks: [0, 2, 2] }, 'chunks'],
      [{ zarr_format: 7 }, 'zarr_format'],
      [{ compressor: { id: 'made-up' } }, 'made-up'],
    ];
    for (const [array, found] of broken) {
      const path = store('broken.zarr', { array });
      const error = await failure(path, 'f');
      expect(error).toMatchObject({ tag: 'BadRasterError' });
      expect(error.message).toContain(found);
    }
    writeFileSync(join(store('text.zarr'), 'f/.zarray'), '{');
    expect(await failure(at('text.zarr'), 'f')).toMatchObject({
      tag: 'BadRasterError',
      message: expect.stringContaining('no JSON'),
    });
    mkdirSync(at('empty.zarr'));
    expect(await failure(at('empty.zarr'), 'f')).toMatchObject({ tag: 'BadRasterError' });
  });

  it('checks the crc32c of a chunk', async () => {
    cpSync(join(golden, 'three.zarr'), at('three.zarr'), { recursive: true });
    const file = at('three.zarr/checked/c/0/0/0');
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(file, bytes);
    expect(await failure(at('three.zarr'), 'checked')).toMatchObject({
      tag: 'BadRasterError',
      message: expect.stringContaining('crc32c'),
    });
  });

  it('is listed as left out where it cannot be read, and neighbours go on', async () => {
    cpSync(join(golden, 'xarray_three.zarr'), at('good.zarr'), { recursive: true });
    store('bad.zarr', { array: { shape: [2, 2, -2] } });
    const { rejected, times } = await ingested({ onBadFrame: 'skip', bands: ['msl', 't2m'] });
    expect(rejected).toMatchObject([{ path: at('bad.zarr'), tag: 'BadRasterError' }]);
    expect(times[0]).toHaveLength(3);
    expect(await refusal({ bands: ['msl', 't2m'] })).toMatchObject({ tag: 'BadRasterError' });
    rmSync(at('bad.zarr'), { recursive: true });
  });
});
