import { describe, expect, it } from 'vitest';
import {
  type Attribute,
  decodeFields,
  describeFields,
  type Variable,
  type VariableFile,
} from '../../pipeline/raster/cf/index.js';
import { DEFAULT_LIMITS } from '../../pipeline/raster/limits.js';

interface Given {
  dimensions: string[];
  shape: number[];
  values: readonly number[];
  attributes?: Record<string, Attribute>;
  dtype?: string;
}

/** A file of variables in memory; `read` gives the slices that a library would. */
function fileOf(given: Record<string, Given>): VariableFile {
  const variables = new Map(
    Object.entries(given).map(
      ([name, { dimensions, shape, attributes = {}, dtype = 'f32' }]): [string, Variable] => [
        name,
        { name, dimensions, shape, dtype, attributes: new Map(Object.entries(attributes)) },
      ],
    ),
  );
  return {
    ...{ path: 'maps.nc', variables, defaultFill: true },
    async read({ name, shape }, start, count) {
      const inner = shape.slice(1).reduce((n, size) => n * size, 1);
      const whole = shape.slice(1).every((size, d) => start[d + 1] === 0 && count[d + 1] === size);
      if (!whole) throw new Error('this file reads along its first dimension only');
      const [first = 0, many = 1] = [start[0], count[0]];
      return Float64Array.from(given[name].values.slice(first * inner, (first + many) * inner));
    },
  };
}

const LAT: Given = {
  dimensions: ['lat'],
  shape: [2],
  values: [50, 49],
  attributes: { units: 'degrees_north' },
};
const LON: Given = {
  dimensions: ['lon'],
  shape: [2],
  values: [10, 11],
  attributes: { units: 'degrees_east' },
};
const axis = (name: string, units: string | null, values: number[]): Given => ({
  ...{ dimensions: [name], shape: [values.length], values, dtype: 'f64' },
  attributes: units === null ? {} : { units },
});
const TIME = axis('time', 'hours since 2020-01-01', [0, 6, 12]);
/** Maps of 2 x 2 cells along `lead`, each full of its number times `factor`. */
const stack = (lead: string, factor: number, entries = 3): Given => ({
  dimensions: [lead, 'lat', 'lon'],
  shape: [entries, 2, 2],
  values: Array.from({ length: entries * 4 }, (_, i) => Math.floor(i / 4) * factor),
});
const fixed: Given = { dimensions: ['lat', 'lon'], shape: [2, 2], values: [7, 7, 7, 7] };
const header = (file: VariableFile, options = {}) => describeFields(file, DEFAULT_LIMITS, options);
const names = async (file: VariableFile) => (await header(file)).bands.map(({ name }) => name);
const decoded = async (file: VariableFile, bands: string[], index: number) =>
  (await decodeFields(file, bands, index, DEFAULT_LIMITS)).map;

describe('fields over time', () => {
  it('take no maps of another first dimension for theirs, be it levels or other times', async () => {
    for (const [lead, other] of [
      ['level', axis('level', 'hPa', [1000, 850, 500])],
      ['later', axis('later', 'hours since 2020-01-01', [3, 9, 15])],
      ['channel', null],
    ] as const) {
      const file = fileOf({
        ...{ lat: LAT, lon: LON, time: TIME, t: stack('time', 1), z: stack(lead, 100) },
        ...(other && { [lead]: other }),
      });
      expect(await names(file)).toEqual(['t']);
      expect(await decoded(file, ['z'], 1).catch((e) => e)).toMatchObject({
        tag: 'BadRasterError',
        fields: { name: 'z' },
      });
    }
  });

  it('are found behind fields on levels, which do not make the time axis', async () => {
    const file = fileOf({
      ...{ lat: LAT, lon: LON, time: TIME, level: axis('level', 'hPa', [1000, 850]) },
      ...{ z: stack('level', 100, 2), t: stack('time', 1) },
    });
    expect(await names(file)).toEqual(['t']);
    expect((await header(file)).times).toHaveLength(3);
  });

  it('come with fields that have no time, such as a mask of the land, whatever comes first', async () => {
    const file = fileOf({ lat: LAT, lon: LON, time: TIME, land: fixed, t: stack('time', 1) });
    expect((await header(file)).times).toEqual([0, 6, 12].map((h) => Date.UTC(2020, 0, 1, h)));
    expect(await names(file)).toEqual(['land', 't']);
    const { bands } = await decoded(file, ['land', 't'], 2);
    expect(bands.map(([cell]) => cell)).toEqual([7, 2]);
  });

  it('are refused where nothing says what their first dimension counts', async () => {
    const file = fileOf({ lat: LAT, lon: LON, bt: stack('channel', 1) });
    expect(await header(file).catch((e) => e)).toMatchObject({
      tag: 'TimeError',
      fields: { path: 'maps.nc', dimension: 'channel', entries: 3 },
    });
  });

  it('may have a dimension of one height, and then take the time among their coordinates', async () => {
    const file = fileOf({
      ...{ lat: LAT, lon: LON, height: axis('height', 'm', [2]) },
      t: { ...stack('height', 1, 1), attributes: { coordinates: 'when' } },
      when: { ...TIME, dimensions: [], shape: [], values: [6] },
    });
    expect((await header(file)).times).toEqual([Date.UTC(2020, 0, 1, 6)]);
    expect((await decoded(file, ['t'], 0)).bands[0][0]).toBe(0);
  });

  it('make the grid, not means over longitude that run over time and latitude', async () => {
    const mean: Given = { dimensions: ['time', 'lat'], shape: [3, 2], values: [1, 2, 3, 4, 5, 6] };
    expect(await names(fileOf({ lat: LAT, lon: LON, time: TIME, mean, t: stack('time', 1) }))).toEqual(['t']);
  });
});

describe('missing values', () => {
  it.each([
    ['_FillValue', -9999.9],
    ['missing_value', 1e20],
    ['missing_value', -9999.9],
  ])('of 64 bits are found among values of 32 bits: %s %s', async (key, fill) => {
    const t: Given = {
      ...{ dimensions: ['lat', 'lon'], shape: [2, 2], values: [Math.fround(fill), 1, 2, 3] },
      attributes: { [key]: fill },
    };
    const { valid } = await decoded(fileOf({ lat: LAT, lon: LON, t }), ['t'], 0);
    expect(Array.from(valid)).toEqual([0, 1, 1, 1]);
  });

  it('leave values in that equal a limit of 64 bits', async () => {
    const t: Given = {
      ...{ dimensions: ['lat', 'lon'], shape: [2, 2], values: [0.1, 0.3, 0.2, 0.4].map(Math.fround) },
      attributes: { valid_range: [0.1, 0.3] },
    };
    const { valid } = await decoded(fileOf({ lat: LAT, lon: LON, t }), ['t'], 0);
    expect(Array.from(valid)).toEqual([1, 1, 1, 0]);
  });
});
