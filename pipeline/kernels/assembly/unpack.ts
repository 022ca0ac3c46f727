// asc: --enable simd
// Stored numbers -> f32. Pointers are bytes; n counts numbers.

export function unpackU8(from: usize, to: usize, n: i32): void {
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    const bytes = v128.load(from + i);
    const low = i16x8.extend_low_i8x16_u(bytes);
    const high = i16x8.extend_high_i8x16_u(bytes);
    const at = to + 4 * i;
    v128.store(at, f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(low)));
    v128.store(at, f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(low)), 16);
    v128.store(at, f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(high)), 32);
    v128.store(at, f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(high)), 48);
  }
  for (; i < n; i++) store<f32>(to + 4 * i, <f32>load<u8>(from + i));
}
