import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../../pipeline/raster/bytes.js';
import { encodeGeoTiff } from '../../pipeline/raster/encode/index.js';
import { decodeGeoTiff, readGeoTiffHeader } from '../../pipeline/raster/geotiff/index.js';
import { DEFAULT_LIMITS } from '../../pipeline/raster/limits.js';

const golden = new URL('../golden/raster/', import.meta.url);
const bytesOf = async (name: string) => new Uint8Array(await readFile(new URL(name, golden)));
const index: Record<string, { sum: number[]; weighted: number; first: number[]; last: number[] }> =
  JSON.parse(await readFile(new URL('index.json', golden), 'utf8'));

async function read(bytes: Uint8Array, bands?: number[]) {
  const source = memorySource('map.tif', bytes);
  const header = await readGeoTiffHeader(source, DEFAULT_LIMITS);
  return {
    header,
    ...(await decodeGeoTiff(source, header, bands ?? header.bands.map((b) => Number(b.selector)))),
  };
}

describe('the GeoTIFF reader', () => {
  it.each(Object.keys(index))('reads %s as rasterio does', async (name) => {
    const { header, bands } = await read(await bytesOf(name));
    expect(header).toMatchObject({
      width: 45,
      height: 37,
      crs: 'EPSG:4326',
      transform: [-6, 0.5, 0, 46, 0, -0.25],
    });
    const flat = Array.from({ length: 45 * 37 * 2 }, (_, i) => bands[i % 2][i >> 1]);
    const { sum, weighted, first, last } = index[name];
    bands.forEach((band, b) => {
      expect(Array.from<number>(band).reduce((total, v) => total + v, 0)).toBeCloseTo(sum[b], 2);
    });
    expect(flat.reduce((total, v, i) => total + v * (i % 97), 0)).toBeCloseTo(weighted, 0);
    expect(flat.slice(0, 4)).toEqual(first);
    expect(flat.slice(-4)).toEqual(last);
  });

  it('reads big-endian BigTIFF with nodata, scale, offset, names, units and time', async () => {
    const { header, bands } = await read(await bytesOf('described.tif'));
    expect(header.crs).toBe('EPSG:32633');
    expect(header.timeText).toBe('2017-08-31T06:00:00Z');
    expect(
      header.bands.map(({ name, unit, scale, offset, nodata }) => [name, unit, scale, offset, nodata]),
    ).toEqual([
      ['msl', 'hPa', 0.5, 100, -32768],
      ['t2m', 'K', 2, -1, -32768],
    ]);
    expect([bands[0][0], bands[0][3 * 45 + 4], bands[1][1]]).toEqual([-300, -32768, -267]);
  });

  it('gives the corner of the first cell where the file ties its centre', async () => {
    const { header } = await read(await bytesOf('point.tif'));
    expect(header.transform).toEqual([10, 2, 0, 50, 0, -1]);
  });

  it('reads only the bands that are asked for', async () => {
    const bytes = await bytesOf('int16_deflate_tile_p2_band.tif');
    const { bands } = await read(bytes, [1]);
    expect(bands).toEqual([(await read(bytes)).bands[1]]);
  });

  it('reads back what the writer wrote, for every type and layout', async () => {
    for (const dtype of ['u8', 'i16', 'u16', 'f32'] as const)
      for (const compression of ['none', 'deflate'] as const)
        for (const tileSize of [undefined, 16])
          for (const predictor of [false, true]) {
            const values = new { u8: Uint8Array, i16: Int16Array, u16: Uint16Array, f32: Float32Array }[
              dtype
            ](20 * 19 * 3);
            for (let i = 0; i < values.length; i++) values[i] = (i * 7) % 251;
            const copy = values.slice();
            const bytes = encodeGeoTiff({
              ...{ width: 20, height: 19, bands: 3, dtype, values, compression, tileSize, predictor },
              ...{
                transform: [0, 1, 0, 19, 0, -1],
                crs: 'EPSG:4326',
                nodata: 250,
                bandNames: ['a<', 'b', 'c'],
              },
            });
            expect(values).toEqual(copy);
            const { header, bands } = await read(bytes);
            expect(header.bands.map((b) => b.name)).toEqual(['a<', 'b', 'c']);
            expect(header.bands[0].nodata).toBe(250);
            for (let i = 0; i < copy.length; i++)
              if (bands[i % 3][Math.floor(i / 3)] !== copy[i]) expect.fail(`${dtype} ${i}`);
          }
  });
});

describe('a hostile GeoTIFF', () => {
  const plain = encodeGeoTiff({
    ...{
      width: 8,
      height: 8,
      bands: 1,
      dtype: 'u8',
      values: new Uint8Array(64),
      transform: null,
      crs: 'none',
      compression: 'deflate',
    },
  });
  const patched = (change: (view: DataView) => void) => {
    const bytes = plain.slice();
    change(new DataView(bytes.buffer));
    return bytes;
  };
  /** Byte of a tag's value field. */
  const valueAt = (view: DataView, tag: number) => {
    for (let i = 0; i < view.getUint16(8, true); i++)
      if (view.getUint16(10 + i * 12, true) === tag) return 10 + i * 12 + 8;
    throw new Error(`no tag ${tag}`);
  };
  const entries = new DataView(plain.buffer).getUint16(8, true);
  const refused = (bytes: Uint8Array) => expect(read(bytes)).rejects.toMatchObject({ tag: 'BadRasterError' });

  it('whose directories run in a circle is refused', () =>
    refused(patched((view) => view.setUint32(10 + entries * 12, 8, true))));
  it('that claims 4 billion cells is refused before anything is allocated', () =>
    refused(
      patched((view) => {
        for (const tag of [256, 257]) view.setUint32(valueAt(view, tag), 65536, true);
      }),
    ));
  it('whose block lies outside the file is refused', () =>
    refused(patched((view) => view.setUint32(valueAt(view, 273), 1e9, true))));
  it('whose deflate stream is cut is refused', () =>
    refused(patched((view) => view.setUint32(valueAt(view, 279), 3, true))));
  it('cut at any byte is refused or read whole, and never hangs', async () => {
    for (let length = 0; length < plain.length; length++)
      await read(plain.slice(0, length)).then(
        () => expect(length).toBeGreaterThanOrEqual(plain.length - 1),
        (error) => expect(error).toMatchObject({ tag: 'BadRasterError' }),
      );
  });
  it('with any one byte changed is refused as a bad raster or read, with no other error', async () => {
    for (let at = 0; at < plain.length; at++)
      for (const flip of [1, 0x80, 0xff])
        await read(patched((view) => view.setUint8(at, view.getUint8(at) ^ flip))).catch((error) =>
          expect(error).toMatchObject({ tag: 'BadRasterError' }),
        );
  });
  it.each(['int16_lzw_tile_p2_pixel', 'uint8_zstd_strip_p1_pixel', 'float32_deflate_tile_p3_band'])(
    'of %s with bytes changed is refused or read, with no other error and in no time',
    async (name) => {
      const whole = await bytesOf(`${name}.tif`);
      const started = Date.now();
      for (let at = 8; at < whole.length; at += 11) {
        const bytes = whole.slice();
        bytes[at] ^= 0xff;
        await read(bytes).catch((error) => expect(error).toMatchObject({ tag: 'BadRasterError' }));
      }
      expect(Date.now() - started).toBeLessThan(30_000);
    },
  );
  it('is empty, text or another format and refused', async () => {
    for (const text of ['', 'II', 'II*\0', 'no map at all', '\x89PNG\r\n\x1a\n', 'CDF\x01'])
      await refused(new TextEncoder().encode(text));
  });
  it('that is a deflate bomb inflates no further than its block', async () => {
    const { deflateSync } = await import('node:zlib');
    const bomb = deflateSync(new Uint8Array(50_000_000), { level: 9 });
    const bytes = new Uint8Array(plain.length + bomb.length);
    bytes.set(plain);
    bytes.set(bomb, plain.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(valueAt(view, 273), plain.length, true);
    view.setUint32(valueAt(view, 279), bomb.length, true);
    await refused(bytes);
  });
});
