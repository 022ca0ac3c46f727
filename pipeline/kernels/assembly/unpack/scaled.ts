// Stored numbers times scale plus offset, in f64 and rounded once, as in JavaScript. Band follows band, so scale and offset
// come again every 4 x bands numbers: the table holds that many scales (f64), then as many offsets.

/** Four numbers as i32, or as f32. */
function four<T>(from: usize): v128 {
  if (sizeof<T>() === 1) return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(from)));
  if (sizeof<T>() === 4) return v128.load(from);
  const words = v128.load64_zero(from);
  return isSigned<T>() ? i32x4.extend_low_i16x8_s(words) : i32x4.extend_low_i16x8_u(words);
}

/** The first two of four as f64. */
function two<T>(numbers: v128): v128 {
  return isFloat<T>() ? f64x2.promote_low_f32x4(numbers) : f64x2.convert_low_i32x4_s(numbers);
}

function scaled<T>(from: usize, to: usize, n: i32, bands: i32, table: usize): void {
  const end = table + 32 * bands; // of the scales
  const offsets = <usize>(32 * bands);
  let at = table;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const numbers = four<T>(from + sizeof<T>() * i);
    const rest = v128.shuffle<i64>(numbers, numbers, 1, 0);
    const low = f64x2.add(f64x2.mul(two<T>(numbers), v128.load(at)), v128.load(at + offsets));
    const high = f64x2.add(f64x2.mul(two<T>(rest), v128.load(at, 16)), v128.load(at + offsets, 16));
    const both = v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
    v128.store(to + 4 * i, both);
    at += 32;
    if (at === end) at = table;
  }
  for (; i < n; i++, at += 8)
    store<f32>(
      to + 4 * i,
      <f32>(<f64>load<T>(from + sizeof<T>() * i) * load<f64>(at) + load<f64>(at + offsets)),
    );
}

export function scaleU8(from: usize, to: usize, n: i32, bands: i32, table: usize): void {
  scaled<u8>(from, to, n, bands, table);
}
export function scaleU16(from: usize, to: usize, n: i32, bands: i32, table: usize): void {
  scaled<u16>(from, to, n, bands, table);
}
export function scaleI16(from: usize, to: usize, n: i32, bands: i32, table: usize): void {
  scaled<i16>(from, to, n, bands, table);
}
export function scaleF32(from: usize, to: usize, n: i32, bands: i32, table: usize): void {
  scaled<f32>(from, to, n, bands, table);
}
