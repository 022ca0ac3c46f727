import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeMap, readHeader } from '../../pipeline/raster/format.js';
import { DEFAULT_LIMITS } from '../../pipeline/raster/limits.js';
import { pointMove } from '../../pipeline/raster/projection/transform.js';

const golden = fileURLToPath(new URL('../golden/cf/', import.meta.url));
interface Golden {
  /** Instants by cftime. */
  calendars: Record<string, string[]>;
  /** Row, column, longitude and latitude of cell centres by pyproj. */
  mappings: Record<string, [number, number, number, number][]>;
  /** By netCDF4, null where masked. */
  fields: Record<string, { band: string; values: (number | null)[] }>;
}
const index: Golden = JSON.parse(readFileSync(join(golden, 'index.json'), 'utf8'));
const header = (name: string, options = {}) => readHeader(join(golden, name), DEFAULT_LIMITS, options);
const isModel = (name: string) => /^(noleap|365|all_leap|366|360)/.test(name);
/** 1850-02-29 is a date of 360 days a year only. */
const absent = ['360_day_days.nc'];

describe('calendars', () => {
  it.each(Object.keys(index.calendars).filter((name) => !absent.includes(name)))(
    'are those of cftime: %s',
    async (name) => {
      const { times } = await header(name, { modelDates: isModel(name) });
      const found = times!.map((t) =>
        new Date(Math.round(t / 1000) * 1000).toISOString().replace('.000', ''),
      );
      expect(found).toEqual(index.calendars[name]);
    },
  );

  it('of models are refused until somebody says that their dates are meant', async () => {
    for (const name of Object.keys(index.calendars).filter(isModel))
      expect(await header(name).catch((e) => e)).toMatchObject({
        tag: 'TimeError',
        hint: expect.stringContaining('--model-dates'),
      });
  });

  it('with dates that the standard calendar lacks are refused all the same', async () => {
    for (const name of absent)
      expect(await header(name, { modelDates: true }).catch((e) => e)).toMatchObject({
        tag: 'TimeError',
        fields: { date: '1850-2-29' },
      });
  });
});

describe('grid mappings', () => {
  it.each(Object.keys(index.mappings))('place cells where pyproj does: %s', async (name) => {
    const { crs, transform } = await header(name);
    const [x0, dx, , y0, , dy] = transform!;
    // A figure of the Earth without a datum is taken as it is, on both sides.
    const figure = /\+(a=\S+ \+(b|rf)=\S+)/.exec(crs)?.[0] ?? '+datum=WGS84';
    const move = pointMove(`+proj=longlat ${figure}`, crs);
    const out = new Float64Array(2);
    let compared = 0;
    for (const [row, column, lon, lat] of index.mappings[name]) {
      if (lon === null || !Number.isFinite(lon) || lon > 360) continue;
      move(lon, lat, out);
      expect((out[0] - x0) / dx - 0.5, `${row} ${column}`).toBeCloseTo(column, 3);
      expect((out[1] - y0) / dy - 0.5, `${row} ${column}`).toBeCloseTo(row, 3);
      compared++;
    }
    expect(compared).toBeGreaterThan(6);
  });
});

describe('fields of NetCDF-4', () => {
  it('lie in groups too, on the axes of the groups around them', async () => {
    const { band, values } = index.fields['groups.nc'];
    const { bands, times, width, height } = await header('groups.nc');
    expect(bands.map(({ selector }) => selector)).toEqual([band]);
    expect([width, height]).toEqual([3, 2]);
    expect(times).toEqual([0, 6].map((h) => Date.UTC(2020, 0, 1, h)));
    const { map } = await decodeMap(join(golden, 'groups.nc'), new Uint8Array(0), [band], 1, DEFAULT_LIMITS);
    expect(Array.from(map.bands[0], (v) => v * 0.5 + 1000)).toEqual(values.slice(6));
  });

  it('of one satellite picture take their time from a scalar coordinate, their place from packed angles', async () => {
    const { band, values } = index.fields['scalar_time.nc'];
    const { times, crs, transform } = await header('scalar_time.nc');
    expect(new Date(times![0]).toISOString()).toBe('2022-03-08T08:26:40.500Z');
    expect(crs).toContain('+proj=geos');
    expect(transform![1]).toBeCloseTo(357860.23, 2);
    const { map } = await decodeMap(
      join(golden, 'scalar_time.nc'),
      new Uint8Array(0),
      [band],
      0,
      DEFAULT_LIMITS,
    );
    const found = Array.from(map.valid, (ok, i) => (ok ? map.bands[0][i] * 0.1 + 173.15 : null));
    found.forEach((value, i) => {
      if (values[i] === null) expect(value).toBeNull();
      else expect(value).toBeCloseTo(values[i]!, 6);
    });
  });
});
