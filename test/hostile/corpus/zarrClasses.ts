/** Zarr stores of version 2 and 3: metadata that lies, chunks that are bombs, are missing, cut or something else. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { zstdBomb } from './bombs.js';
import { flips, type HostileCase, type HostileClass, spread, truncations } from './case.js';

const ROWS = 24;
const COLUMNS = 32;
const field = Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => 270 + (i % 53) / 4);
const bytesOf = (array: Float32Array | Float64Array): Uint8Array => new Uint8Array(array.buffer);
const plain = bytesOf(field);
const AXES: Record<string, [string, Float64Array]> = {
  lat: ['degrees_north', Float64Array.from({ length: ROWS }, (_, i) => 45 - i * 0.5)],
  lon: ['degrees_east', Float64Array.from({ length: COLUMNS }, (_, i) => 10 + i * 0.5)],
};

type Json = Record<string, unknown>;
/** By path inside the store. */
type Files = Record<string, Uint8Array | string | ((path: string) => void)>;
type Version = 2 | 3;

const CODECS: Record<string, { 2: Json | null; 3: Json | null; pack: (bytes: Uint8Array) => Uint8Array }> = {
  none: { 2: null, 3: null, pack: (bytes) => bytes },
  gzip: {
    2: { id: 'gzip', level: 5 },
    3: { name: 'gzip', configuration: { level: 5 } },
    pack: (b) => gzipSync(b),
  },
  zstd: {
    2: { id: 'zstd', level: 1 },
    3: { name: 'zstd', configuration: { level: 1, checksum: false } },
    pack: zstd,
  },
  blosc: {
    2: { id: 'blosc', cname: 'zlib', clevel: 5, shuffle: 0, blocksize: 0 },
    3: {
      name: 'blosc',
      configuration: { cname: 'zlib', clevel: 5, shuffle: 'noshuffle', typesize: 4, blocksize: 0 },
    },
    pack: blosc,
  },
  lz4: { 2: { id: 'lz4', acceleration: 1 }, 3: { name: 'numcodecs.lz4', configuration: {} }, pack: lz4 },
};

/** One raw block. */
function zstd(bytes: Uint8Array): Uint8Array {
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32LE(bytes.length, 5);
  head.writeUIntLE((bytes.length << 3) | 1, 9, 3);
  return Buffer.concat([head, bytes]);
}

/** One block of one stream of zlib. */
function blosc(bytes: Uint8Array): Uint8Array {
  const packed = deflateSync(bytes);
  const head = Buffer.alloc(24);
  head.set([2, 1, 0x70, 4]);
  for (const [at, value] of [
    [4, bytes.length],
    [8, bytes.length],
    [12, 24 + packed.length],
    [16, 20],
    [20, packed.length],
  ])
    head.writeUInt32LE(value, at);
  return Buffer.concat([head, packed]);
}

/** Literals only. */
function lz4(bytes: Uint8Array): Uint8Array {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(bytes.length);
  const more = bytes.length - 15;
  return Buffer.concat([
    head,
    Uint8Array.of(0xf0, ...Array(Math.floor(more / 255)).fill(255), more % 255),
    bytes,
  ]);
}

function metadata(
  version: Version,
  name: string,
  shape: number[],
  codec: string,
): { json: Json; attributes: Json } {
  const dimensions = shape.length === 1 ? [name] : ['time', 'lat', 'lon'];
  const type = shape.length === 1 ? 'f8' : 'f4';
  const units = name === 'time' ? 'hours since 2005-12-01' : (AXES[name]?.[0] ?? 'K');
  if (version === 2)
    return {
      json: {
        ...{
          zarr_format: 2,
          shape,
          chunks: shape,
          dtype: `<${type}`,
          fill_value: null,
          order: 'C',
          filters: null,
        },
        compressor: CODECS[codec][2],
      },
      attributes: { _ARRAY_DIMENSIONS: dimensions, units },
    };
  const packed = CODECS[codec][3];
  return {
    json: {
      ...{ zarr_format: 3, node_type: 'array', shape, data_type: type === 'f8' ? 'float64' : 'float32' },
      chunk_grid: { name: 'regular', configuration: { chunk_shape: shape } },
      chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
      fill_value: 'NaN',
      codecs: [{ name: 'bytes', configuration: { endian: 'little' } }, ...(packed ? [packed] : [])],
      ...{ attributes: { units }, dimension_names: dimensions },
    },
    attributes: {},
  };
}

const chunkKey = (version: Version, name: string, rank: number): string =>
  version === 2 ? `${name}/${Array(rank).fill(0).join('.')}` : `${name}/c/${Array(rank).fill(0).join('/')}`;

interface Change {
  /** Of which array; the field when left out. */
  of?: string;
  json?: Json | string | Uint8Array;
  attributes?: Json;
  /** In place of the chunk; null for none. */
  chunk?: Uint8Array | ((path: string) => void) | null;
  codec?: string;
  more?: Files;
}

function store(
  version: Version,
  hour: number,
  { of = 't2m', codec = 'gzip', more = {}, ...change }: Change = {},
): Files {
  const files: Files =
    version === 2
      ? { '.zgroup': '{"zarr_format":2}' }
      : { 'zarr.json': '{"zarr_format":3,"node_type":"group"}' };
  const data: Record<string, Uint8Array> = { time: bytesOf(Float64Array.of(hour)), t2m: plain };
  for (const [name, [, values]] of Object.entries(AXES)) data[name] = bytesOf(values);
  for (const [name, bytes] of Object.entries(data)) {
    const shape = name === 't2m' ? [1, ROWS, COLUMNS] : [bytes.length / 8];
    const used = name === 't2m' ? codec : 'none';
    const own = name === of ? change : {};
    const { json, attributes } = metadata(version, name, shape, used);
    const given = own.json ?? {};
    const text = typeof given === 'string' || given instanceof Uint8Array ? given : null;
    const { attributes: other } = own;
    const merged = () => ({
      ...json,
      ...(given as Json),
      ...(version === 3 && other && { attributes: other }),
    });
    files[`${name}/${version === 2 ? '.zarray' : 'zarr.json'}`] = text ?? JSON.stringify(merged());
    if (version === 2) files[`${name}/.zattrs`] = JSON.stringify({ ...attributes, ...own.attributes });
    const chunk = own.chunk === undefined ? CODECS[used].pack(bytes) : own.chunk;
    if (chunk !== null) files[chunkKey(version, name, shape.length)] = chunk;
  }
  return { ...files, ...more };
}

const write = (files: Files) => (path: string) => {
  for (const [name, content] of Object.entries(files)) {
    const at = join(path, name);
    mkdirSync(dirname(at), { recursive: true });
    if (typeof content === 'function') content(at);
    else writeFileSync(at, content);
  }
};

/** Two times more than the store may have, and what goes with it. */
const sizes = (version: Version, shape: number[], chunks: unknown = shape): Json =>
  version === 2
    ? { shape, chunks }
    : { shape, chunk_grid: { name: 'regular', configuration: { chunk_shape: chunks } } };

const MAPS: [number[], unknown?][] = [
  ...[
    [1, 2 ** 31, 2 ** 31],
    [1, ROWS, 2 ** 27],
    [2 ** 40, ROWS, COLUMNS],
    [1, 0, COLUMNS],
    [1, -1, COLUMNS],
    [1, 1.5, 2],
  ].map((shape): [number[]] => [shape]),
  ...[
    [0, 0, 0],
    [1, ROWS],
    [1, 2 ** 15, 2 ** 15],
    [2 ** 31, 2 ** 31, 2 ** 31],
    'chunks',
    [1, ROWS, -COLUMNS],
    [1, 7, 7],
  ].map((chunks): [number[], unknown] => [[1, ROWS, COLUMNS], chunks]),
];
const TEXTS: Record<string, string | Uint8Array> = {
  nothing: '',
  'no JSON': '{"zarr_format":',
  'a list': '[1,2,3]',
  null: 'null',
  zeros: new Uint8Array(1_000),
  'a deep nest': '['.repeat(200_000) + ']'.repeat(200_000),
  '17 MiB': `{"a":"${' '.repeat(17 << 20)}"}`,
  'another version': '{"zarr_format":9}',
  'wrong types': '{"zarr_format":"2","shape":"all","chunks":null,"dtype":7,"node_type":"array"}',
};

function metadataCases(version: Version): HostileCase[] {
  const make = (name: string, change: Change, maybe = false): HostileCase => ({
    name,
    maybe,
    content: (path) => write(store(version, 500, change))(path),
  });
  const one = (of: string, size: number, chunk = size) => ({
    of,
    json: sizes(version, [size], [chunk]),
    chunk: null,
  });
  const type = (text: unknown) => (version === 2 ? { dtype: text } : { data_type: text });
  const coded = (codec: Json) => (version === 2 ? { compressor: codec } : { codecs: [codec] });
  return [
    ...MAPS.map(([shape, chunks]) =>
      make(`shape ${shape}, chunks ${chunks ?? shape}`, { json: sizes(version, shape, chunks) }, true),
    ),
    ...Object.entries(TEXTS).map(([name, json]) => make(`${name} as metadata`, { json })),
    ...['|O', '<M8[s]', '<f3', '<c8', 7, null, { name: 'x' }].map((t) =>
      make(`type ${JSON.stringify(t)}`, { json: type(t) }),
    ),
    ...[
      { id: 'no', name: 'no' },
      { id: 'pickle', name: 'pickle' },
      { id: '__proto__', name: '__proto__' },
    ].map((c) => make(`codec ${c.id}`, { json: coded(c) })),
    make('16 codecs and one', { json: { codecs: Array(17).fill({ name: 'gzip' }), compressor: 7 } }),
    make('a fill value that is none', { json: { fill_value: 'no' } }, true),
    make('dimensions that are not there', {
      attributes: { _ARRAY_DIMENSIONS: ['a', 'b', 'c'] },
      json: { dimension_names: ['a', 'b', 'c'] },
    }),
    make(
      'scale of text',
      { attributes: { scale_factor: 'x', _ARRAY_DIMENSIONS: ['time', 'lat', 'lon'] } },
      true,
    ),
    make('a time without units', { of: 'time', attributes: { units: 7, _ARRAY_DIMENSIONS: ['time'] } }),
    make('a time of NaN', { of: 'time', chunk: bytesOf(Float64Array.of(Number.NaN)) }),
    make('no time chunk', { of: 'time', chunk: null }, version === 2),
    make('2^24 times', one('time', 2 ** 24)),
    make('2^20 times in a small field', one('time', 2 ** 20)),
    make('latitudes of 2^27', one('lat', 2 ** 27)),
    make('latitudes of 2^20 in chunks of 1', one('lat', 2 ** 20, 1)),
    make('no latitudes', one('lat', 0, 1)),
    make(
      'a field of 2^20 times and 2^16 chunks',
      { ...one('t2m', 1), json: sizes(version, [2 ** 20, ROWS, COLUMNS], [1, 1, 1]) },
      true,
    ),
    make('an array inside itself', { more: { 't2m/t2m/.zgroup': '{"zarr_format":2}' } }, true),
  ];
}

const out = (target: string) => (path: string) => {
  rmSync(path, { recursive: true, force: true });
  symlinkSync(target, path);
};

function chunkCases(version: Version): HostileCase[] {
  const make = (name: string, change: Change, maybe = false): HostileCase => ({
    name,
    maybe,
    content: (path) => write(store(version, 500, change))(path),
  });
  const lie = (name: string, codec: string, at: number, value: number): HostileCase => {
    const chunk = Buffer.from(CODECS[codec].pack(plain));
    chunk.writeUInt32LE(value, at);
    return make(`${codec} ${name} is ${value}`, { codec, chunk }, true);
  };
  const lies = [0, 1, 0x7fffffff, 0xffffffff].flatMap((v) => [
    ...['flags', 'bytes', 'block', 'packed', 'begin', 'stream'].map((name, i) =>
      lie(name, 'blosc', 4 * i, v),
    ),
    lie('bytes', 'lz4', 0, v),
  ]);
  const spoilt = Object.keys(CODECS).flatMap((codec) => {
    const packed = CODECS[codec].pack(plain);
    const label = `v${version} ${codec} chunk`;
    return [
      ...flips(label, packed, { count: 6 }),
      ...truncations(label, packed, spread(packed.length, 3)),
    ].map(({ name, content, maybe }) => make(name, { codec, chunk: content as Uint8Array }, maybe));
  });
  return [
    ...lies,
    ...spoilt,
    make('gzip bomb', { chunk: gzipSync(new Uint8Array(64 << 20)) }),
    make('zstd bomb of 1 TiB', { codec: 'zstd', chunk: zstdBomb(2_048, 2 ** 40) }),
    make('zstd bomb of unsaid size', { codec: 'zstd', chunk: zstdBomb(4_096, null) }),
    make('a chunk too long', { codec: 'none', chunk: new Uint8Array(100_000) }, true),
    make('no chunk', { chunk: null }, true),
    make('a folder as chunk', { chunk: (path) => mkdirSync(path, { recursive: true }) }),
    make('a pipe as chunk', { chunk: (path) => void execFileSync('mkfifo', [path]) }),
    make('a chunk that links to a secret', { chunk: out('/etc/passwd') }),
    make('a chunk that links to a device', { chunk: out('/dev/zero') }),
    make('a chunk that links to nothing', { chunk: out('/no/such/file') }),
    make('a chunk that links to itself', { chunk: (path) => symlinkSync(path, path) }),
    make('a folder that links to the root', { more: { other: out('/') } }),
    make('metadata that links to a secret', { more: { 't2m/.zattrs': out('/etc/passwd') } }),
  ];
}

export const zarrClasses = (): HostileClass[] =>
  ([2, 3] as const).flatMap((version): HostileClass[] => {
    const shared = { ending: '.zarr', innerTimes: true, healthy: (i: number) => write(store(version, i)) };
    return [
      { ...shared, name: `Zarr ${version}, metadata`, cases: metadataCases(version) },
      { ...shared, name: `Zarr ${version}, chunks`, cases: chunkCases(version) },
    ];
  });
