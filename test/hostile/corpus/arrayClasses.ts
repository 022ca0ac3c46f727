/** NumPy arrays and STAC items: headers and documents that lie. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { encodeGeoTiff } from '../../../pipeline/raster/index.js';
import { flips, type HostileCase, type HostileClass, spread, truncations } from './case.js';

const ROWS = 24;
const COLUMNS = 32;
const field = Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => 270 + (i % 53) / 4);
const values = new Uint8Array(field.buffer);

function npy({
  header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${ROWS}, ${COLUMNS}), }`,
  version = 1,
  length = null as number | null,
  data = values,
} = {}): Uint8Array {
  const text = Buffer.from(`${header}\n`);
  const head = Buffer.alloc(version === 1 ? 10 : 12);
  head.set([0x93, ...Buffer.from('NUMPY'), version, 0]);
  if (version === 1) head.writeUInt16LE((length ?? text.length) & 0xffff, 8);
  else head.writeUInt32LE(length ?? text.length, 8);
  return Buffer.concat([head, text, data]);
}

const described = (descr: string, shape: string, order = 'False') =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;

function npyCases(): HostileCase[] {
  const whole = npy();
  const make = (name: string, content: HostileCase['content'], maybe = false): HostileCase => ({
    name,
    content,
    maybe,
  });
  const headers: Record<string, string> = {
    'Python objects': described("'|O'", `(${ROWS}, ${COLUMNS})`),
    records: described("[('a', '<f4'), ('b', '<i2')]", `(${ROWS}, ${COLUMNS})`),
    'complex numbers': described("'<c8'", `(${ROWS}, ${COLUMNS})`),
    text: described("'<U8'", `(${ROWS}, ${COLUMNS})`),
    times: described("'<M8[s]'", `(${ROWS}, ${COLUMNS})`),
    'a shape of 2^62': described("'<f4'", '(2147483648, 2147483648)'),
    'a shape of thirty digits': described("'<f4'", `(${'9'.repeat(30)}, 1)`),
    'a shape of nothing': described("'<f4'", '()'),
    'a shape of zeros': described("'<f4'", '(0, 0)'),
    'a shape below nothing': described("'<f4'", `(-${ROWS}, -${COLUMNS})`),
    'three axes': described("'<f4'", `(1, ${ROWS}, ${COLUMNS})`),
    'a hundred axes': described("'<f4'", `(${'1,'.repeat(98)}${ROWS}, ${COLUMNS})`),
    'code in the header': `__import__('os').system('true')`,
    'nothing in the header': '',
    'another order': described("'<f4'", `(${ROWS}, ${COLUMNS})`, 'Maybe'),
  };
  return [
    ...Object.entries(headers).map(([name, header]) => make(name, npy({ header }))),
    make('a pickle', Buffer.from('80049528000000000000008c05706f736978948c0673797374656d', 'hex')),
    make('a header of 65535 bytes', npy({ length: 65_535 })),
    make('a header of 2^32 - 1 bytes', npy({ version: 2, length: 2 ** 32 - 1 })),
    make('a header of 60,000 blanks', npy({ header: `{'descr':${' '.repeat(60_000)}` })),
    make('version 0', npy({ version: 0 })),
    make('version 9', npy({ version: 9 })),
    make('bytes too many', npy({ data: new Uint8Array(values.length + 4) })),
    make('all NaN', npy({ data: new Uint8Array(Float32Array.from(field, () => Number.NaN).buffer) })),
    make('all infinite', npy({ data: new Uint8Array(Float32Array.from(field, () => Infinity).buffer) })),
    ...besides(),
    ...truncations('npy', whole, [...spread(whole.length, 8), 6, 8, 9, 10, 11, 40]),
    ...flips('npy', whole, { count: 25, to: 90 }),
    ...flips('npy values', whole, { count: 5, from: 90 }),
  ];
}

/** The JSON file beside the array. */
function besides(): HostileCase[] {
  const beside = (name: string, json: string, maybe = false): HostileCase => ({
    name: `beside it ${name}`,
    maybe,
    content: (path) => {
      writeFileSync(path, npy());
      writeFileSync(path.replace('.npy', '.json'), json);
    },
  });
  return [
    beside('no JSON', '{'),
    beside('a deep nest', '['.repeat(100_000)),
    beside('times without an axis', '{"times":["2005-12-01T00:00Z"]}'),
    beside('dimensions twice', '{"dimensions":["y","y"]}'),
    beside('dimensions of wrong types', '{"dimensions":[1,2]}'),
    beside('300 bands', JSON.stringify({ bands: Array(300).fill('b') })),
    beside('a place of nothing', '{"transform":[0,0,0,0,0,0],"crs":"EPSG:4326"}'),
    beside('a place of 1e308', '{"transform":[1e308,1e308,0,1e308,0,-1e308],"crs":"EPSG:4326"}'),
    beside('a CRS that is none', '{"transform":[0,1,0,0,0,-1],"crs":"EPSG:no"}'),
    beside(
      'a CRS of 100,000 letters',
      JSON.stringify({ transform: [0, 1, 0, 0, 0, -1], crs: '+proj='.repeat(16_000) }),
    ),
    {
      name: 'beside it a folder',
      content: (path) => {
        writeFileSync(path, npy());
        mkdirSync(path.replace('.npy', '.json'));
      },
    },
  ];
}

const map = encodeGeoTiff({
  ...{
    width: COLUMNS,
    height: ROWS,
    bands: 1,
    dtype: 'f32',
    crs: 'EPSG:4326',
    transform: [10, 0.5, 0, 45, 0, -0.5],
  },
  values: field,
});
const base = Date.UTC(2005, 11, 1);

function item(
  hour: number,
  change: Record<string, unknown> = {},
  href = './map.tif',
): Record<string, unknown> {
  return {
    ...{
      type: 'Feature',
      stac_version: '1.0.0',
      id: `i${hour}`,
      collection: null,
      geometry: null,
      links: [],
    },
    properties: { datetime: new Date(base + hour * 3_600_000).toISOString() },
    assets: { data: { href, roles: ['data'] } },
    ...change,
  };
}

/** The item and, beside it, the map of the same name. */
const written = (json: (stem: string) => unknown) => (path: string) => {
  const stem = path.slice(path.lastIndexOf('/') + 1, -'.json'.length);
  writeFileSync(path.replace('.json', '.tif'), map);
  const value = json(stem);
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
};

function stacCases(): HostileCase[] {
  const make = (name: string, json: (stem: string) => unknown, maybe = false): HostileCase => ({
    name,
    maybe,
    content: written(json),
  });
  const with_ = (name: string, change: Record<string, unknown>, maybe = false) =>
    make(name, (stem) => item(500, change, `./${stem}.tif`), maybe);
  const href = (name: string, to: (stem: string) => string) =>
    make(`href ${name}`, (stem) => item(500, {}, to(stem)));
  return [
    make('nothing', () => ''),
    make('no JSON', () => '{"type":'),
    make('a list', () => []),
    make('a deep nest', () => '['.repeat(200_000) + ']'.repeat(200_000)),
    make('a catalogue', () => ({ type: 'Catalog', links: [{ rel: 'child', href: './self.json' }] })),
    make('a collection without items', () => ({ type: 'FeatureCollection', features: [] })),
    make('a collection of itself', () => ({
      type: 'FeatureCollection',
      features: [{ type: 'FeatureCollection', features: [] }],
    })),
    make('a collection of numbers', () => ({ type: 'FeatureCollection', features: [1, null, 'x'] })),
    with_('no assets', { assets: {} }),
    with_('assets as a list', { assets: [] }),
    with_('an asset without href', { assets: { data: {} } }),
    with_('href as a number', { assets: { data: { href: 7 } } }),
    with_('an asset __proto__', { assets: JSON.parse('{"__proto__":{"href":"x.txt"}}') }),
    with_('no properties', { properties: null }),
    with_('no time', { properties: { datetime: null } }),
    with_('a span', {
      properties: { datetime: null, start_datetime: '2005-12-01T00:00Z', end_datetime: '2005-12-02T00:00Z' },
    }),
    with_('a time of words', { properties: { datetime: 'yesterday' } }),
    with_('a time in the year 300000', { properties: { datetime: '+300000-01-01T00:00:00Z' } }),
    with_('a time of another day than the name', { properties: { datetime: '1999-01-01T00:00:00Z' } }, true),
    with_('an id of 10 MB', { id: 'x'.repeat(10_000_000) }, true),
    with_('a collection of dots', { collection: '../../..' }, true),
    href('to nothing', (stem) => `./${stem}.gone.tif`),
    href('with a zero byte', (stem) => `./${stem}\0.tif`),
    href('of 100,000 letters', () => `./${'x'.repeat(100_000)}.tif`),
    href('of another host', () => 'file://elsewhere/map.tif'),
    href('to a folder', () => '.tif/'),
    href('to the item itself', (stem) => `./${stem}.json`),
    href('to a secret', () => '/etc/passwd'),
    href('to a secret by URL', () => 'file:///etc/passwd'),
    href('that is empty', () => ''),
    href('of another scheme', () => 'gopher://x/map.tif'),
  ];
}

export const arrayClasses = (): HostileClass[] => [
  { name: 'NumPy', ending: '.npy', healthy: () => npy(), cases: npyCases() },
  {
    ...{ name: 'STAC', ending: '.json', innerTimes: true, named: true, cases: stacCases() },
    healthy: (i) => written((stem) => item(i, {}, `./${stem}.tif`)),
  },
];
