/** GeoTIFF: structure, sizes, block tables, fields, nodata and georeference. */
import { readFileSync } from 'node:fs';
import { encodeGeoTiff, type GeoTiffImage } from '../../../pipeline/raster/index.js';
import { deflateBomb, lzwBomb, zstdBomb } from './bombs.js';
import { flips, type HostileCase, type HostileClass, spread, truncations } from './case.js';
import {
  changed,
  doubles,
  entriesOf,
  entryOf,
  longs,
  shorts,
  TAG,
  text,
  withEntry,
  withFirstBlock,
  withNumber,
  withValues,
} from './tiff.js';

/** 32-bit floats, so that a file of another type leaves the type of its neighbours as it is. */
function tiff(change: Partial<GeoTiffImage> = {}): Uint8Array {
  const { width = 64, height = 48, bands = 1 } = change;
  return encodeGeoTiff({
    ...{ width, height, bands, dtype: 'f32', transform: [10, 0.5, 0, 45, 0, -0.5], crs: 'EPSG:4326' },
    values: Float32Array.from({ length: width * height * bands }, (_, i) => 270 + (i % 97) / 7),
    ...{ bandNames: ['ir'], nodata: -9999, compression: 'deflate', scale: [1], offset: [0] },
    ...change,
  });
}

const golden = (name: string): Uint8Array =>
  readFileSync(new URL(`../../golden/raster/${name}.tif`, import.meta.url));

const named = (cases: Record<string, HostileCase['content']>, maybe = false): HostileCase[] =>
  Object.entries(cases).map(([name, content]) => ({ name, content, maybe }));

/** Cut at, before and after every entry, every tag's values and every block. */
function structure(bytes: Uint8Array): HostileCase[] {
  const { at, link, entries } = entriesOf(bytes);
  const places = [0, 1, 3, 4, 7, 8, at, at + 1, at + 2, link, link + 2];
  for (const entry of entries) {
    places.push(entry.at, entry.at + 6);
    if (entry.bytes > 4) places.push(entry.values, entry.values + entry.bytes / 2);
  }
  return truncations('strips', bytes, [...places, ...spread(bytes.length, 12), bytes.length - 4]);
}

function directories(bytes: Uint8Array): HostileCase[] {
  const { at, link } = entriesOf(bytes);
  const linked = (to: number) => changed(bytes, (data) => data.setUint32(link, to, true));
  const chain = new Uint8Array(bytes.length + 3_000 * 18);
  chain.set(bytes);
  const endless = changed(chain, (data) => {
    data.setUint32(link, bytes.length, true);
    for (let i = 0; i < 3_000; i++) {
      const o = bytes.length + i * 18;
      data.setUint16(o, 1, true);
      data.setUint16(o + 2, TAG.width, true);
      data.setUint32(o + 14, i === 2_999 ? 0 : o + 18, true);
    }
  });
  return named({
    'links to itself': linked(at),
    'links into itself': linked(at + 12),
    'links to its header': linked(0x2a),
    'links to its last byte': linked(bytes.length - 1),
    'links past its end': linked(0xfffffff0),
    'has 3000 pages': endless,
    'starts past its end': changed(bytes, (data) => data.setUint32(4, bytes.length + 10, true)),
    'starts in its header': changed(bytes, (data) => data.setUint32(4, 0, true)),
    'has no entries': changed(bytes, (data) => data.setUint16(at, 0, true)),
    'has 65535 entries': changed(bytes, (data) => data.setUint16(at, 65_535, true)),
    'says the other byte order': changed(bytes, (_, copy) => copy.fill(0x4d, 0, 2)),
    'says BigTIFF': changed(bytes, (data) => data.setUint16(2, 43, true)),
    'is its own directory twice': linked(at - (at % 2) + 2),
  });
}

function sizes(bytes: Uint8Array): HostileCase[] {
  const cases: HostileCase[] = [];
  const give = (tag: keyof typeof TAG, ...values: number[]) =>
    cases.push(
      ...values.map((v) => ({
        name: `${tag} is ${v}`,
        content: withNumber(bytes, TAG[tag], v),
        maybe: tag === 'planar', // says nothing where there is one band
      })),
    );
  give('width', 0, 2 ** 31, 2 ** 32 - 1);
  give('height', 0, 2 ** 31, 2 ** 32 - 1);
  give('samples', 0, 257, 65_535, 2 ** 31);
  give('bits', 0, 1, 7, 128, 2 ** 31);
  give('format', 0, 5, 65_535);
  give('rowsPerStrip', 0);
  give('compression', 0, 6, 65_000);
  give('planar', 0, 3); // says nothing where there is one band
  for (const tag of ['width', 'stripOffsets', 'stripCounts', 'metadata', 'keys', 'scale'] as const)
    cases.push({
      name: `${tag} has 2^32 - 1 values`,
      content: withEntry(bytes, TAG[tag], { count: 2 ** 32 - 1 }),
    });
  cases.push({ name: 'bits has type 99', content: withEntry(bytes, TAG.bits, { type: 99 }), maybe: true });
  cases.push({ name: 'width has type 99', content: withEntry(bytes, TAG.width, { type: 99 }) });
  return cases;
}

function blocks(bytes: Uint8Array, offsets: number, counts: number): HostileCase[] {
  const o = entryOf(bytes, offsets);
  const n = Math.max(1, o.count);
  const all = (tag: number, value: number) => withValues(bytes, tag, 4, longs(...Array(n).fill(value)));
  return [
    ...named({
      'offsets in the header': all(offsets, 2),
      'offsets past the end': all(offsets, bytes.length + 1_000),
      'offsets of 2^32 - 1': all(offsets, 2 ** 32 - 1),
      'sizes of 0': all(counts, 0),
      'sizes of 1': all(counts, 1),
      'sizes of 2^32 - 1': all(counts, 2 ** 32 - 1),
      'a block too few': withValues(bytes, offsets, 4, longs(...Array(n + 1).fill(8))),
      'no offsets': withEntry(bytes, offsets, { rename: 65_000 }),
      'no sizes': withEntry(bytes, counts, { rename: 65_001 }),
      'offsets as floats': withValues(
        bytes,
        offsets,
        11,
        new Uint8Array(Float32Array.from(Array(n).fill(Number.NaN)).buffer),
      ),
    }),
    ...named(
      {
        'sparse: offsets and sizes of 0': withValues(all(offsets, 0), counts, 4, longs(...Array(n).fill(0))),
      },
      true,
    ),
  ];
}

function fields(): HostileCase[] {
  const filled = (value: number) => tiff({ values: new Float32Array(64 * 48).fill(value) });
  const some = Float32Array.from(
    { length: 64 * 48 },
    (_, i) => [Number.NaN, Infinity, -Infinity, 271][i % 4],
  );
  const nodata = (value: string) => withValues(tiff(), TAG.nodata, 2, text(value));
  return [
    ...named({
      'all NaN': filled(Number.NaN),
      'all infinite': filled(Infinity),
      'all nodata': filled(-9999),
    }),
    ...named(
      {
        'every other cell NaN or infinite': tiff({ values: some }),
        'largest floats': filled(3.4e38),
        'nodata is text': nodata('none'),
        'nodata is 1e400': nodata('1e400'),
        'nodata is empty': nodata(''),
        'nodata is NaN': nodata('nan'),
        'nodata is a list': nodata('1 2 3'),
        'scale is infinite': tiff({ scale: [Infinity] }),
        'scale is NaN': tiff({ scale: [Number.NaN] }),
        'scale is 1e308': tiff({ scale: [1e308] }),
        'scale is 0': tiff({ scale: [0] }),
        'offset is -1e308': tiff({ offset: [-1e308] }),
        'metadata is unclosed': withValues(
          tiff(),
          TAG.metadata,
          2,
          text('<GDALMetadata><Item name="'.repeat(2_000)),
        ),
        'metadata is 60,000 items': withValues(
          tiff(),
          TAG.metadata,
          2,
          text('<Item sample="0" role="scale">2</Item>'.repeat(60_000)),
        ),
        'metadata is blanks': withValues(tiff(), TAG.metadata, 2, text(`<Item ${' '.repeat(200_000)}`)),
      },
      true,
    ),
  ];
}

function places(): HostileCase[] {
  const bytes = tiff();
  const scale = (...v: number[]) => withValues(bytes, TAG.scale, 12, doubles(...v));
  const tie = (...v: number[]) => withValues(bytes, TAG.tie, 12, doubles(...v));
  const matrix = (...v: number[]) =>
    withEntry(withValues(bytes, TAG.tie, 12, doubles(...v)), TAG.tie, { rename: TAG.matrix });
  const keys = (...v: number[]) => withValues(bytes, TAG.keys, 3, shorts(...v));
  return named({
    'cells of 0': scale(0, 0, 0),
    'cells of NaN': scale(Number.NaN, 0.5, 0),
    'cells without end': scale(Infinity, 0.5, 0),
    'cells of 1e300': scale(1e300, 1e300, 0),
    'cells of -0.5': scale(-0.5, -0.5, 0),
    'one scale': scale(0.5),
    'a tie point of NaN': tie(0, 0, 0, Number.NaN, 45, 0),
    'a tie point far away': tie(0, 0, 0, 1e15, -1e15, 0),
    'half a tie point': tie(0, 0, 0),
    'a matrix of zeros': matrix(...Array(16).fill(0)),
    'a matrix that turns': matrix(0.1, 0.4, 0, 10, 0.4, -0.1, 0, 45, 0, 0, 0, 0, 0, 0, 0, 1),
    'a matrix of NaN': matrix(...Array(16).fill(Number.NaN)),
    'no scale': withEntry(bytes, TAG.scale, { rename: 65_002 }),
    'keys that count 65535': keys(1, 1, 0, 65_535, 2048, 0, 1, 65_535),
    'a CRS that is 0': keys(1, 1, 0, 1, 2048, 0, 1, 0),
    'a CRS that is none': keys(1, 1, 0, 1, 3072, 0, 1, 60_000),
    'a CRS of its own': keys(1, 1, 0, 1, 2048, 0, 1, 32_767),
  });
}

function bombs(kind: string, bytes: Uint8Array): HostileCase[] {
  const tags = kind.includes('_tile_') ? [324, 325] : [TAG.stripOffsets, TAG.stripCounts];
  const first = (block: Uint8Array) => withFirstBlock(bytes, tags[0], tags[1], block);
  if (kind.includes('lzw')) return named({ 'LZW bomb': first(lzwBomb(4)) }, true);
  if (kind.includes('zstd'))
    return [
      ...named({ 'Zstandard bomb of 1 TiB': first(zstdBomb(2_048, 2 ** 40)) }),
      ...named({ 'Zstandard bomb of unsaid size': first(zstdBomb(4_096, null)) }),
      ...named({ 'Zstandard bomb that lies': first(zstdBomb(4_096, 100)) }),
    ];
  return named({ 'deflate bomb': first(deflateBomb()) });
}

export function tiffClasses(): HostileClass[] {
  const strips = tiff();
  const tiled = tiff({ tileSize: 16 });
  const plain = tiff({ compression: 'none' });
  const of = (name: string, bytes: Uint8Array, cases: HostileCase[]): HostileClass => ({
    ...{ name, ending: '.tif', cases },
    healthy: () => bytes,
  });
  const kinds = ['float32_lzw_strip_p3_pixel', 'float32_zstd_tile_p3_pixel', 'float32_deflate_tile_p1_band'];
  return [
    of('GeoTIFF cut', strips, structure(strips)),
    of('GeoTIFF directories', strips, directories(strips)),
    of('GeoTIFF sizes', strips, sizes(strips)),
    of('GeoTIFF strips', strips, blocks(strips, TAG.stripOffsets, TAG.stripCounts)),
    of('GeoTIFF tiles', tiled, [
      ...blocks(tiled, 324, 325),
      ...[0, 2 ** 31, 2 ** 32 - 1].flatMap((v) => [
        { name: `tile width is ${v}`, content: withNumber(tiled, TAG.tileWidth, v) },
        { name: `tile height is ${v}`, content: withNumber(tiled, TAG.tileHeight, v) },
      ]),
      ...truncations('tiles', tiled, spread(tiled.length, 10)),
    ]),
    of('GeoTIFF fields and nodata', strips, fields()),
    of('GeoTIFF places', strips, places()),
    of('GeoTIFF flips, header', strips, flips('header', strips, { count: 40, to: 700 })),
    of(
      'GeoTIFF flips, plain pixels',
      plain,
      flips('plain', plain, { count: 10, from: plain.length - 9_000 }),
    ),
    ...kinds.map((kind) => {
      const bytes = golden(kind);
      return of(`GeoTIFF flips and bombs, ${kind.split('_')[1]}`, bytes, [
        ...flips(kind, bytes, { count: 20 }),
        ...truncations(kind, bytes, spread(bytes.length, 6)),
        ...bombs(kind, bytes),
      ]);
    }),
  ];
}
