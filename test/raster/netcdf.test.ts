import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { isStormreelError } from '../../pipeline/errors.js';
import { decodeMap, readHeader } from '../../pipeline/raster/format.js';
import { DEFAULT_LIMITS } from '../../pipeline/raster/limits.js';

const golden = fileURLToPath(new URL('../golden/netcdf/', import.meta.url));
/** What Python's netCDF4 reads: times, and each frame north first with null where it masks. */
const index: Record<string, { times: string[]; frames: (number | null)[][] }> = JSON.parse(
  readFileSync(join(golden, 'index.json'), 'utf8'),
);
const folder = mkdtempSync(join(tmpdir(), 'stormreel-netcdf-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function read(path: string, limits = DEFAULT_LIMITS) {
  const header = await readHeader(path, limits);
  const frames = [];
  for (let i = 0; i < (header.times ?? [0]).length; i++) {
    const { map } = await decodeMap(path, new Uint8Array(0), ['msl'], i, limits);
    const [{ scale, offset }] = header.bands;
    frames.push(Array.from(map.valid, (ok, cell) => (ok ? map.bands[0][cell] * scale + offset : null)));
  }
  return { header, frames };
}

describe('the NetCDF reader', () => {
  it.each(Object.keys(index))(
    'reads %s as netCDF4 does: times, scale, fill, ranges, north first',
    async (name) => {
      const { header, frames } = await read(join(golden, name));
      expect(header).toMatchObject({
        ...{ width: 12, height: 5, crs: 'EPSG:4326', transform: [-15, 30, 0, 75, 0, -30] },
        bands: [{ name: 'msl', unit: 'hPa' }],
      });
      const times = header.times!.map((t) => new Date(t).toISOString().replace('.000', ''));
      expect(times).toEqual(index[name].times);
      expect(frames).toEqual(index[name].frames);
    },
  );

  it('takes the number of records from the size of a file that was never closed', async () => {
    const bytes = readFileSync(join(golden, 'packed_netcdf3_classic.nc'));
    bytes.writeUInt32BE(0xffffffff, 4);
    const path = join(folder, 'streaming.nc');
    writeFileSync(path, bytes);
    expect((await read(path)).frames).toEqual(index['packed_netcdf3_classic.nc'].frames);
  });

  it.each([
    ['calendar_360_day', 'TimeError', { calendar: '360_day' }],
    ['calendar_noleap', 'TimeError', { calendar: 'noleap' }],
    ['months', 'TimeError', { units: 'months since 2005-01-01' }],
    ['longitude_first', 'GridMismatchError', { found: ['lon', 'lat'] }],
    ['gaussian', 'GridMismatchError', { axis: 'lat' }],
  ])('refuses %s instead of guessing', async (name, tag, fields) => {
    const error = await read(join(golden, `${name}.nc`)).catch((e) => e);
    expect(error).toMatchObject({ tag, fields, hint: expect.any(String) });
  });
});

describe('a hostile NetCDF file', () => {
  const bytes = readFileSync(join(golden, 'unsigned_bytes.nc'));
  const path = join(folder, 'hostile.nc');
  const outcome = async (content: Uint8Array) => {
    writeFileSync(path, content);
    await read(path).catch((error) => {
      if (!isStormreelError(error)) throw error;
    });
  };

  it('cut at any byte is refused, or its times end early, with no other error', async () => {
    for (let length = 0; length < bytes.length; length += 3) await outcome(bytes.subarray(0, length));
  });

  it('with any one byte changed is refused or read, with no other error and in no time', async () => {
    const started = Date.now();
    for (let at = 0; at < bytes.length; at++)
      for (const flip of [1, 0x80, 0xff]) {
        const content = Uint8Array.from(bytes);
        content[at] ^= flip;
        await outcome(content);
      }
    expect(Date.now() - started).toBeLessThan(60_000);
  });

  it('of HDF5 is refused for the map whose chunk fails its checksum, and for that alone', async () => {
    const file = join(golden, 'damaged_chunk.nc');
    const map = (index: number) => decodeMap(file, new Uint8Array(0), ['msl'], index, DEFAULT_LIMITS);
    for (const index of [0, 2]) expect((await map(index)).map.bands[0][0]).toBe(index * 60);
    expect(await map(1).catch((e) => e)).toMatchObject({ tag: 'BadRasterError', fields: { path: file } });
  });

  it('of HDF5 is refused where its values lie behind a filter that is not known', async () => {
    const file = join(golden, 'zstd_chunk.nc');
    const failed = await decodeMap(file, new Uint8Array(0), ['msl'], 0, DEFAULT_LIMITS).catch((e) => e);
    expect(failed).toMatchObject({ tag: 'BadRasterError', fields: { path: file } });
    expect(failed.message).toContain('filter');
  });

  it('of HDF5 with bytes changed is refused or read, with no other error', async () => {
    const whole = readFileSync(join(golden, 'packed_netcdf4.nc'));
    for (let at = 8; at < whole.length; at += 211) {
      const content = Uint8Array.from(whole);
      content[at] ^= 0xff;
      await outcome(content);
    }
  });

  it('over the limits is refused before its fields are read', async () => {
    const small = { ...DEFAULT_LIMITS, cells: 59 };
    const file = join(golden, 'fixed_length.nc');
    await expect(read(file, small)).rejects.toMatchObject({ tag: 'BadRasterError', fields: { width: 12 } });
    const narrow = { ...DEFAULT_LIMITS, decodedBytes: 479 };
    await expect(read(file, narrow)).rejects.toMatchObject({ tag: 'BadRasterError', fields: { bytes: 480 } });
  });

  it('that claims to be NetCDF-4 or is text is refused', async () => {
    for (const content of [
      Buffer.from('89484446 0d0a1a0a 00'.replaceAll(' ', ''), 'hex'),
      readFileSync(join(golden, 'packed_netcdf4.nc')).subarray(0, 9000),
      Buffer.from('no NetCDF at all'),
    ]) {
      writeFileSync(path, content);
      await expect(read(path)).rejects.toMatchObject({ tag: 'BadRasterError', hint: expect.any(String) });
    }
  });
});
