/** Which cells of a field hold no value, by the CF conventions, section 2.5: compared as they are stored, before scale and offset. */
import type { Variable } from './variables.js';

/** What the NetCDF library leaves in cells that no one wrote (netcdf.h, NC_FILL_*); bytes have none. */
const DEFAULT_FILL: Record<string, number> = {
  i16: -32767,
  u16: 65535,
  i32: -2147483647,
  u32: 4294967295,
  f32: 9.969209968386869e36,
  f64: 9.969209968386869e36,
};

/** Sets `valid` to 0 where the variable says that `values` hold none. */
export function maskMissing(
  values: Float64Array,
  variable: Variable,
  valid: Uint8Array,
  defaultFill: boolean,
): void {
  const { attributes } = variable;
  const dtype = storedDtype(variable);
  const unsigned = unsignedRange(variable);
  // The attribute may be of another type than the values: 1e20 of 64 bits is not the 1e20 of 32 bits that stands for it.
  const numbers = (key: string) =>
    [attributes.get(key) ?? []]
      .flat()
      .filter((v) => typeof v === 'number')
      .map((v) => (v < 0 ? v + unsigned : v))
      .map((v) => (dtype === 'f32' ? Math.fround(v) : v));
  const missing = new Set([...numbers('_FillValue'), ...numbers('missing_value')]);
  const unwritten = defaultFill ? DEFAULT_FILL[dtype ?? ''] : undefined;
  if (!attributes.has('_FillValue') && unwritten !== undefined) missing.add(unwritten);
  const [least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY] = numbers('valid_range');
  const low = numbers('valid_min')[0] ?? least;
  const high = numbers('valid_max')[0] ?? most;
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]) || missing.has(values[i]) || values[i] < low || values[i] > high)
      valid[i] = 0;
}

/** Classic files keep unsigned integers as signed ones with `_Unsigned = "true"`: what to add below 0; 0 for others. */
export function unsignedRange({ attributes, dtype }: Variable): number {
  const unsigned = String(attributes.get('_Unsigned')).toLowerCase() === 'true';
  return unsigned && dtype?.startsWith('i') ? 2 ** Number(dtype.slice(1)) : 0;
}

export const storedDtype = (variable: Variable): string | null =>
  unsignedRange(variable) ? `u${variable.dtype!.slice(1)}` : variable.dtype;
