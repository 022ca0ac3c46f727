/** What NetCDF files of both kinds and Zarr stores offer: named variables with dimensions, attributes and slices by range. */
export type Attribute = string | number | number[];

export interface Variable {
  /** In a group `group/name`. */
  name: string;
  /** Dimension names, slowest first; in a group `group/name` where the coordinate variable lies there. */
  dimensions: string[];
  shape: number[];
  /** `u8`, `i16`, `f32` ...; null for text and other types that hold no field. */
  dtype: string | null;
  attributes: ReadonlyMap<string, Attribute>;
}

export interface VariableFile {
  path: string;
  variables: ReadonlyMap<string, Variable>;
  /** Cells that no one wrote hold the NetCDF library's default fill values. */
  defaultFill: boolean;
  /** `count[d]` entries from `start[d]` along each dimension, row-major, as numbers. */
  read(variable: Variable, start: readonly number[], count: readonly number[]): Promise<Float64Array>;
}

/** The variable `name` as seen from `from`: in its own group, or the nearest one around it. */
export function nearby(file: VariableFile, from: Variable, name: string): Variable | undefined {
  const groups = from.name.split('/').slice(0, -1);
  for (; ; groups.pop()) {
    const found = file.variables.get([...groups, name].join('/'));
    if (found || groups.length === 0) return found;
  }
}

export function textOf({ attributes }: Variable, key: string): string | undefined {
  const value = attributes.get(key);
  return typeof value === 'string' ? value : undefined;
}

/** Numbers of an attribute, and of text that holds one, as some writers have it. */
export function numberOf({ attributes }: Variable, key: string): number | undefined {
  const value = attributes.get(key);
  const number = Array.isArray(value)
    ? value[0]
    : typeof value === 'string'
      ? Number(value || Number.NaN)
      : value;
  return number === undefined || Number.isNaN(number) ? undefined : number;
}
