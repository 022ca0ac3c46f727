import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeMap, readHeader } from '../../pipeline/raster/format.js';
import { DEFAULT_LIMITS } from '../../pipeline/raster/limits.js';
import { at, inFolder, ingested, refusal } from './sources.js';

const golden = fileURLToPath(new URL('../golden/npy/', import.meta.url));
/** Band 0 of each map, by NumPy. */
const index: Record<string, number[][]> = JSON.parse(readFileSync(join(golden, 'index.json'), 'utf8'));
const none = new Uint8Array(0);
const failure = (path: string) => readHeader(path, DEFAULT_LIMITS).catch((error) => error);

describe('the .npy reader', () => {
  inFolder();

  it.each(Object.keys(index))('reads the values that NumPy wrote: %s', async (name) => {
    const path = join(golden, `${name}.npy`);
    const header = await readHeader(path, DEFAULT_LIMITS);
    expect(header).toMatchObject({ width: 5, height: 4 });
    expect(header.times?.length ?? 1).toBe(index[name].length);
    for (const [i, expected] of index[name].entries()) {
      const { map } = await decodeMap(path, none, [0], i, DEFAULT_LIMITS);
      expect(Array.from(map.bands[0])).toEqual(expected);
    }
  });

  it('takes times, place, names and scales from the JSON file beside it', async () => {
    cpSync(join(golden, 'bands.npy'), at('bands.npy'));
    cpSync(join(golden, 'bands.json'), at('bands.json'));
    const { description, times, decode } = await ingested();
    expect(description).toMatchObject({
      grid: { width: 5, height: 4, crs: 'EPSG:4326', transform: [10, 1, 0, 50, 0, -1] },
      bands: [
        { name: 'ir', unit: 'K' },
        { name: 'wv', unit: null },
      ],
    });
    expect(times[0]).toEqual([0, 6, 12].map((h) => new Date(Date.UTC(2020, 0, 1, h)).toISOString()));
    expect((await decode(1)).slice(0, 2)).toEqual([20, 41]);
  });

  it('makes cells of nodata, NaN and infinity invalid', async () => {
    cpSync(join(golden, 'map_little_f4.npy'), at('a_20200101T00Z.npy'));
    const bytes = readFileSync(at('a_20200101T00Z.npy'));
    bytes.writeFloatLE(Number.NaN, bytes.length - 4);
    bytes.writeFloatLE(Number.POSITIVE_INFINITY, bytes.length - 8);
    writeFileSync(at('a_20200101T00Z.npy'), bytes);
    writeFileSync(at('a_20200101T00Z.json'), '{"nodata": -9, "time": "2020-01-01T00:00Z"}');
    const values = await (await ingested()).decode();
    expect([values[0], values[1], values[18], values[19]]).toEqual([null, -7, null, null]);
  });

  it('finds a nodata value that 32 bits cannot hold exactly', async () => {
    cpSync(join(golden, 'map_little_f4.npy'), at('a_20200101T00Z.npy'));
    const bytes = readFileSync(at('a_20200101T00Z.npy'));
    bytes.writeFloatLE(-9999.9, bytes.length - 4);
    writeFileSync(at('a_20200101T00Z.npy'), bytes);
    writeFileSync(at('a_20200101T00Z.json'), '{"nodata": -9999.9, "time": "2020-01-01T00:00Z"}');
    expect((await (await ingested()).decode()).at(-1)).toBeNull();
  });

  it.each([
    ['objects', 'pickle'],
    ['records', 'records'],
    ['complex', '<c8'],
  ])('refuses %s', async (name, found) => {
    expect(await failure(join(golden, `${name}.npy`))).toMatchObject({
      tag: 'BadRasterError',
      message: expect.stringContaining(found),
    });
  });

  it('refuses what nobody can know: which axis is which, times that do not fit, a CRS without a name', async () => {
    cpSync(join(golden, 'stack.npy'), at('stack.npy'));
    expect(await refusal()).toMatchObject({
      tag: 'BadRasterError',
      hint: expect.stringContaining('"dimensions"'),
      fields: { shape: [3, 4, 5] },
    });
    const beside = async (json: string) => {
      writeFileSync(at('stack.json'), json);
      return refusal();
    };
    expect(await beside('{"times": ["2020-01-01T00:00Z"]}')).toMatchObject({
      tag: 'BadRasterError',
      message: expect.stringContaining('1 times'),
    });
    expect(await beside('{"dimensions": ["time", "y", "y"]}')).toMatchObject({
      tag: 'BadRasterError',
      message: expect.stringContaining('dimensions'),
    });
    expect(await beside('{"dimensions": ["t", "y", "x"]}')).toMatchObject({
      tag: 'BadRasterError',
      message: expect.stringContaining('dimensions.0'),
    });
    expect(await beside('{"times": ')).toMatchObject({
      tag: 'BadRasterError',
      message: expect.stringContaining('no JSON'),
    });
    const times = '["2020-01-01T00:00", "2020-01-01T06:00", "2020-01-01T12:00"]';
    expect(await beside(`{"times": ${times}}`)).toMatchObject({
      tag: 'TimeError',
      hint: expect.stringContaining('--assume-utc'),
    });
    expect(
      await beside(
        `{"times": ${times.replaceAll('00"', '00Z"')}, "crs": "mars", "transform": [0, 1, 0, 0, 0, -1]}`,
      ),
    ).toMatchObject({
      tag: 'BadRasterError',
      message: expect.stringContaining('"mars"'),
    });
  });

  it('refuses files that are cut, too long, or no arrays', async () => {
    const bytes = readFileSync(join(golden, 'map_little_i2.npy'));
    for (const [name, data] of Object.entries({
      cut: bytes.subarray(0, bytes.length - 1),
      long: Buffer.concat([bytes, Buffer.alloc(1)]),
      head: bytes.subarray(0, 40),
      tiny: bytes.subarray(0, 3),
      other: Buffer.alloc(200, 65),
      shape: Buffer.from(bytes.toString('latin1').replace('(4, 5)', '(9, 9)'), 'latin1'),
      header: Buffer.from(bytes.toString('latin1').replace("'descr'", "'DESCR'"), 'latin1'),
    })) {
      writeFileSync(at(`${name}.npy`), data);
      expect(await failure(at(`${name}.npy`)), name).toMatchObject({ tag: 'BadRasterError' });
    }
  });
});
