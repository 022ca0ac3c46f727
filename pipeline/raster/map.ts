/** A map as its file holds it, before it is brought to the dataset's grid. */
import type { Transform } from '../../schemas/records/index.js';

export type SourceDtype = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'f64';

export type SourceArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

export const SOURCE_ARRAY = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;

export interface BandHeader {
  /** Null where the file does not name its bands. */
  name: string | null;
  unit: string | null;
  dtype: SourceDtype;
  /** Physical value = stored * scale + offset. */
  scale: number;
  offset: number;
  nodata: number | null;
  /** How the decoder finds this band: its number, or a NetCDF variable. */
  selector: number | string;
}

export interface MapHeader {
  width: number;
  height: number;
  /** North-up where georeferenced; null without georeference. */
  transform: Transform | null;
  /** `EPSG:n`, another text, or `none`. */
  crs: string;
  bands: BandHeader[];
  /** Times of the file's own axis, ms UTC; null when the file has none. */
  times: number[] | null;
  /** Time of a tag inside the file, not yet parsed. */
  timeText: string | null;
}

/** Bands of one map at one time, in the file's own types. */
export interface DecodedMap {
  width: number;
  height: number;
  /** One entry a wanted band: `[height * width]`, stored units. */
  bands: SourceArray[];
  /** `[height * width]`, 0 where any wanted band is nodata, not finite or transparent. */
  valid: Uint8Array;
  /** True where it is known that no cell is invalid; some steps are then faster. */
  whole?: boolean;
}
