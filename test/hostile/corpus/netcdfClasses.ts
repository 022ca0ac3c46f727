/** NetCDF, classic and on HDF5: one field at one time a file, then cut, turned and lied about. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import h5wasm, { File } from 'h5wasm/node';
import { flips, type HostileCase, type HostileClass, spread, truncations } from './case.js';

const ROWS = 24;
const COLUMNS = 32;
const UNITS = 'hours since 2005-12-01 00:00:00';
const field = Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => 270 + (i % 53) / 4);
const latitudes = Float64Array.from({ length: ROWS }, (_, i) => 45 - i * 0.5);
const longitudes = Float64Array.from({ length: COLUMNS }, (_, i) => 10 + i * 0.5);

/** NetCDF classic (CDF-1), written from the format's grammar. `at` holds where things lie, by name. */
function classic(hour: number): { bytes: Uint8Array; at: Record<string, number> } {
  const at: Record<string, number> = {};
  const parts: Buffer[] = [];
  let length = 0;
  const push = (part: Buffer) => {
    parts.push(part);
    length += part.length;
  };
  const u32 = (value: number, name?: string) => {
    if (name) at[name] = length;
    const out = Buffer.alloc(4);
    out.writeUInt32BE(value >>> 0);
    push(out);
  };
  const name = (value: string) => {
    u32(value.length, `name of ${value}`);
    push(Buffer.concat([Buffer.from(value), Buffer.alloc((4 - (value.length % 4)) % 4)]));
  };
  const attribute = (key: string, value: string) => {
    u32(0x0c);
    u32(1, `attributes of ${key} ${value}`);
    name(key);
    u32(2);
    name(value);
  };
  const variables = [
    { key: 'time', ids: [0], type: 6, units: UNITS, data: Float64Array.of(hour) },
    { key: 'lat', ids: [1], type: 6, units: 'degrees_north', data: latitudes },
    { key: 'lon', ids: [2], type: 6, units: 'degrees_east', data: longitudes },
    { key: 't2m', ids: [0, 1, 2], type: 5, units: 'K', data: field },
  ];
  push(Buffer.from('CDF\x01', 'latin1'));
  u32(0, 'records');
  u32(0x0a);
  u32(3, 'dimensions');
  for (const [key, size] of Object.entries({ time: 1, lat: ROWS, lon: COLUMNS })) {
    name(key);
    u32(size, `size of ${key}`);
  }
  u32(0);
  u32(0);
  u32(0x0b);
  u32(4, 'variables');
  for (const { key, ids, type, units, data } of variables) {
    name(key);
    u32(ids.length, `rank of ${key}`);
    for (const id of ids) u32(id, `dimension of ${key}`);
    attribute('units', units);
    u32(type, `type of ${key}`);
    u32(data.byteLength, `bytes of ${key}`);
    u32(0, `begin of ${key}`);
  }
  const begins = variables.map(({ data }) => {
    const begin = length;
    const out = Buffer.alloc(data.byteLength);
    const wide = data instanceof Float64Array;
    for (const [i, v] of data.entries()) wide ? out.writeDoubleBE(v, i * 8) : out.writeFloatBE(v, i * 4);
    push(out);
    return begin;
  });
  const bytes = Buffer.concat(parts);
  for (const [i, { key }] of variables.entries()) bytes.writeUInt32BE(begins[i], at[`begin of ${key}`]);
  return { bytes, at };
}

function classicCases(): HostileCase[] {
  const { bytes, at } = classic(500);
  const lie = (place: string, value: number): HostileCase => {
    const content = Buffer.from(bytes);
    content.writeUInt32BE(value >>> 0, at[place]);
    return { name: `${place} is ${value}`, content, maybe: true };
  };
  const most = 2 ** 32 - 1;
  const lies = Object.keys(at).flatMap((place) => [lie(place, most), lie(place, 0x7fffff00)]);
  const double = (key: string, value: number): HostileCase => {
    const content = Buffer.from(bytes);
    content.writeDoubleBE(value, content.readUInt32BE(at[`begin of ${key}`]));
    return { name: `${key} starts with ${value}`, content };
  };
  return [
    ...lies,
    ...[0, 1, 7].map((value) => lie('size of lat', value)),
    ...[Number.NaN, Infinity, 1e300].flatMap((v) => [double('time', v), double('lat', v), double('lon', v)]),
    ...truncations('classic', bytes, [
      ...Object.values(at).filter((_, i) => i % 3 === 0),
      ...spread(bytes.length, 8),
    ]),
    ...flips('classic', bytes, { count: 20, to: 500 }),
  ];
}

async function hdf5(hour: number, { chunks = false } = {}): Promise<Uint8Array> {
  await h5wasm.ready;
  const folder = mkdtempSync(join(tmpdir(), 'stormreel-hdf5-'));
  try {
    const path = join(folder, 'whole.nc');
    const file = new File(path, 'w');
    const axis = (name: string, data: Float64Array, units: string) => {
      const dataset = file.create_dataset({ name, data, shape: [data.length] });
      dataset.create_attribute('units', units);
      dataset.make_scale(name);
    };
    axis('time', Float64Array.of(hour), UNITS);
    axis('lat', latitudes, 'degrees_north');
    axis('lon', longitudes, 'degrees_east');
    const packed = chunks ? { chunks: [1, 8, 8], compression: 4 } : {};
    const dataset = file.create_dataset({ name: 't2m', data: field, shape: [1, ROWS, COLUMNS], ...packed });
    dataset.create_attribute('units', 'K');
    for (const [d, name] of ['time', 'lat', 'lon'].entries()) dataset.attach_scale(d, name);
    file.close();
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every address of a B-tree, heap, symbol table node or object header points somewhere else. */
function pointers(bytes: Uint8Array): HostileCase[] {
  const whole = Buffer.from(bytes);
  return ['TREE', 'HEAP', 'SNOD'].flatMap((kind) => {
    const at = whole.indexOf(kind);
    if (at < 0) return [];
    const over = (offset: number, value: bigint, name: string): HostileCase => {
      const content = Buffer.from(whole);
      content.writeBigUInt64LE(value, at + offset);
      return { name: `${kind} ${name}`, content, maybe: true };
    };
    return [
      over(8, BigInt(at), 'leads to itself'),
      over(16, BigInt(at), 'has itself beside it'),
      over(24, BigInt(at), 'has itself as a child'),
      over(8, 2n ** 63n, 'leads nowhere'),
      over(32, BigInt(at), 'has itself as another child'),
    ];
  });
}

async function hdf5Cases(chunks: boolean): Promise<HostileCase[]> {
  const bytes = await hdf5(500, { chunks });
  const label = chunks ? 'HDF5 in chunks' : 'HDF5';
  return [
    ...pointers(bytes),
    ...truncations(label, bytes, [...spread(bytes.length, 12), 8, 48, 96]),
    ...flips(label, bytes, { count: 25, to: Math.min(bytes.length, 4_096) }),
    ...flips(`${label} whole`, bytes, { count: 10 }),
  ];
}

export async function netcdfClasses(): Promise<HostileClass[]> {
  return [
    {
      ...{ name: 'NetCDF classic', ending: '.nc', innerTimes: true },
      ...{ healthy: (i) => classic(i).bytes, cases: classicCases() },
    },
    {
      ...{ name: 'NetCDF-4', ending: '.nc', innerTimes: true },
      ...{ healthy: (i) => hdf5(i), cases: await hdf5Cases(false) },
    },
    {
      ...{ name: 'NetCDF-4 in chunks', ending: '.nc', innerTimes: true },
      ...{ healthy: (i) => hdf5(i, { chunks: true }) },
      cases: await hdf5Cases(true),
    },
  ];
}
