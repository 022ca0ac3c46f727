// Least, mean and largest value of each band of a frame `[cell, band]`, physical units; NaN where no cell is valid.

/**
 * `valid`: a byte a cell, or 0 where all are valid. `table`: scale, offset (f64) of each band; `out`: three f32 a band. The
 * sum runs in the order of the cells, in f64.
 */
function statistics<T>(values: usize, valid: usize, cells: i32, bands: i32, table: usize, out: usize): void {
  const step: usize = bands * sizeof<T>();
  for (let band = 0; band < bands; band++) {
    const scale = load<f64>(table + 16 * band);
    const offset = load<f64>(table + 16 * band, 8);
    let least: f64 = Infinity;
    let largest: f64 = -Infinity;
    let sum: f64 = 0;
    let n = 0;
    let at = values + band * sizeof<T>();
    for (let cell = 0; cell < cells; cell++, at += step) {
      if (valid !== 0 && load<u8>(valid + cell) === 0) continue;
      const value = <f64>load<T>(at) * scale + offset;
      least = min(least, value);
      largest = max(largest, value);
      sum += value;
      n++;
    }
    store<f32>(out + 12 * band, n ? <f32>least : f32.NaN);
    store<f32>(out + 12 * band, n ? <f32>(sum / <f64>n) : f32.NaN, 4);
    store<f32>(out + 12 * band, n ? <f32>largest : f32.NaN, 8);
  }
}

export function statisticsU8(
  values: usize,
  valid: usize,
  cells: i32,
  bands: i32,
  table: usize,
  out: usize,
): void {
  statistics<u8>(values, valid, cells, bands, table, out);
}
export function statisticsU16(
  values: usize,
  valid: usize,
  cells: i32,
  bands: i32,
  table: usize,
  out: usize,
): void {
  statistics<u16>(values, valid, cells, bands, table, out);
}
export function statisticsI16(
  values: usize,
  valid: usize,
  cells: i32,
  bands: i32,
  table: usize,
  out: usize,
): void {
  statistics<i16>(values, valid, cells, bands, table, out);
}
export function statisticsF32(
  values: usize,
  valid: usize,
  cells: i32,
  bands: i32,
  table: usize,
  out: usize,
): void {
  statistics<f32>(values, valid, cells, bands, table, out);
}
