import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { fromArrayBuffer } from 'geotiff';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeGeoTiff, type GeoTiffImage } from '../../pipeline/raster/encode/index.js';

const ARRAY = { u8: Uint8Array, i16: Int16Array, u16: Uint16Array, f32: Float32Array } as const;

function image(changes: Partial<GeoTiffImage> = {}): GeoTiffImage {
  const { width = 37, height = 21, bands = 2, dtype = 'i16' } = changes;
  const values = new ARRAY[dtype](width * height * bands).map((_, i) => ((i * 7919) % 251) - 20);
  return {
    width,
    height,
    bands,
    dtype,
    values,
    transform: [-10.25, 0.5, 0, 48.75, 0, -0.25],
    crs: 'EPSG:4326',
    ...changes,
  };
}

const open = async (bytes: Uint8Array) =>
  (await fromArrayBuffer(bytes.slice().buffer as ArrayBuffer)).getImage();
const pixels = async (bytes: Uint8Array) =>
  (await (await open(bytes)).readRasters({ interleave: true })) as unknown as ArrayLike<number>;

describe('encodeGeoTiff()', () => {
  it('writes what geotiff.js reads back, for every type, layout, compression and predictor', async () => {
    for (const dtype of ['u8', 'i16', 'u16', 'f32'] as const)
      for (const compression of ['none', 'deflate'] as const)
        for (const tileSize of [undefined, 16])
          for (const predictor of [false, true]) {
            const source = image({ dtype, compression, tileSize, predictor });
            const found = await pixels(encodeGeoTiff(source));
            const where = `${dtype} ${compression} tile ${tileSize} predictor ${predictor}`;
            expect(Array.from(found), where).toEqual(Array.from(source.values));
          }
  });

  it('writes any size and any bytes, also maps of one cell', async () => {
    const shape = fc.record({
      width: fc.integer({ min: 1, max: 40 }),
      height: fc.integer({ min: 1, max: 40 }),
      bands: fc.integer({ min: 1, max: 4 }),
      tileSize: fc.constantFrom(undefined, 16, 32),
      seed: fc.integer(),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ width, height, bands, tileSize, seed }) => {
        const values = Int16Array.from({ length: width * height * bands }, (_, i) =>
          Math.imul(i + seed, 2654435761),
        );
        const bytes = encodeGeoTiff(
          image({ width, height, bands, tileSize, values, compression: 'deflate', predictor: true }),
        );
        expect(Array.from(await pixels(bytes))).toEqual(Array.from(values));
      }),
      { numRuns: 40 },
    );
  });

  it('says place, CRS, nodata and time, and scale, offset, name and unit of each band', async () => {
    const read = await open(
      encodeGeoTiff(
        image({
          nodata: -32768,
          scale: [0.5, 0.01],
          offset: [100, 273.15],
          bandNames: ['msl', 't<2>m & co'],
          bandUnits: ['Pa', 'K'],
          dateTime: Date.UTC(2026, 2, 25, 7, 5, 9),
        }),
      ),
    );
    expect(read.getOrigin().slice(0, 2)).toEqual([-10.25, 48.75]);
    expect(read.getResolution().slice(0, 2)).toEqual([0.5, -0.25]);
    expect(read.getGeoKeys()).toMatchObject({ GeographicTypeGeoKey: 4326, GTModelTypeGeoKey: 2 });
    expect(read.getGDALNoData()).toBe(-32768);
    expect(await read.fileDirectory.loadValue('DateTime')).toContain('2026:03:25 07:05:09');
    const metadata = (await read.getGDALMetadata(1)) as Record<string, unknown>;
    expect(metadata).toMatchObject({ SCALE: '0.01', OFFSET: '273.15', UNITTYPE: 'K' });
  });

  it('writes projected codes under their own key', async () => {
    const keys = (await open(encodeGeoTiff(image({ crs: 'EPSG:32633' })))).getGeoKeys();
    expect(keys).toMatchObject({ ProjectedCSTypeGeoKey: 32633, GTModelTypeGeoKey: 1 });
  });

  it('is a pure function of its input and leaves the values alone', () => {
    const source = image({ compression: 'deflate', predictor: true });
    const before = source.values.slice();
    expect(encodeGeoTiff(source)).toEqual(encodeGeoTiff(source));
    expect(source.values).toEqual(before);
  });

  it('refuses values of another number, rotated transforms, CRS names and odd tile sizes', () => {
    expect(() => encodeGeoTiff(image({ values: new Int16Array(3) }))).toThrow('3 entries');
    expect(() => encodeGeoTiff(image({ transform: [0, 1, 0.1, 0, 0, -1] }))).toThrow('rotated');
    expect(() => encodeGeoTiff(image({ crs: 'Mercator' }))).toThrow('"Mercator" cannot be written');
    expect(() => encodeGeoTiff(image({ tileSize: 20 }))).toThrow('multiple of 16');
  });
});

const hasGdal = spawnSync('gdalinfo', ['--version']).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'stormreel-encode-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface GdalInfo {
  size: number[];
  geoTransform: number[];
  stac?: { 'proj:epsg'?: number };
  metadata: Record<string, Record<string, string>>;
  bands: Record<string, unknown>[];
}

// Where GDAL is not installed there is nothing to compare with; the reader tests of pipeline/raster stand beside this one.
if (hasGdal)
  describe('GDAL', () => {
    it('reads size, place, types, checksums and band metadata without a complaint', () => {
      const infos = [undefined, 16].flatMap((tileSize) =>
        ['none', 'deflate', 'deflate2'].map((kind) => {
          const path = join(folder, `${kind}_${tileSize}.tif`);
          const compression = kind === 'none' ? 'none' : 'deflate';
          const source = image({
            tileSize,
            compression,
            predictor: kind !== 'deflate',
            nodata: -32768,
            scale: [0.5, 0.01],
            offset: [100, 273.15],
            bandNames: ['msl', 't2m'],
            bandUnits: ['Pa', 'K'],
            dateTime: Date.UTC(2026, 2, 25),
          });
          writeFileSync(path, encodeGeoTiff(source));
          const { stdout, stderr, status } = spawnSync('gdalinfo', ['-json', '-checksum', path], {
            encoding: 'utf8',
          });
          expect([status, stderr]).toEqual([0, '']);
          return JSON.parse(stdout) as GdalInfo;
        }),
      );
      for (const info of infos) {
        expect(info.size).toEqual([37, 21]);
        expect(info.geoTransform).toEqual([-10.25, 0.5, 0, 48.75, 0, -0.25]);
        expect(JSON.stringify(info)).toContain('4326');
        expect(info.metadata[''].TIFFTAG_DATETIME).toBe('2026:03:25 00:00:00');
        expect(info.bands).toMatchObject([
          { type: 'Int16', description: 'msl', unit: 'Pa', scale: 0.5, offset: 100, noDataValue: -32768 },
          { type: 'Int16', description: 't2m', unit: 'K', scale: 0.01, offset: 273.15 },
        ]);
        expect(info.bands.map((b) => b.checksum)).toEqual(infos[0].bands.map((b) => b.checksum));
      }
    });
  });
