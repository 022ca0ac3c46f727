/** What both kinds of NetCDF file offer: named variables with dimensions, attributes and slices by range. */
export type Attribute = string | number | number[];

export interface Variable {
  name: string;
  /** Dimension names, slowest first. */
  dimensions: string[];
  shape: number[];
  /** `u8`, `i16`, `f32` ...; null for text and other types that hold no field. */
  dtype: string | null;
  attributes: ReadonlyMap<string, Attribute>;
}

export interface VariableFile {
  variables: ReadonlyMap<string, Variable>;
  /** `count[d]` entries from `start[d]` along each dimension, row-major, as numbers. */
  read(variable: Variable, start: readonly number[], count: readonly number[]): Promise<Float64Array>;
}
