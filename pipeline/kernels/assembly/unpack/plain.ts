// Stored numbers that need no scale. Signed conversion throughout: all are below 2^31, and unsigned takes eight
// instructions where signed takes one.

/** `n` counts numbers; so below. */
export function unpackU8(from: usize, to: usize, n: i32): void {
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    const bytes = v128.load(from + i);
    const low = i16x8.extend_low_i8x16_u(bytes);
    const high = i16x8.extend_high_i8x16_u(bytes);
    const at = to + 4 * i;
    v128.store(at, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(low)));
    v128.store(at, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(low)), 16);
    v128.store(at, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(high)), 32);
    v128.store(at, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(high)), 48);
  }
  for (; i < n; i++) store<f32>(to + 4 * i, <f32>load<u8>(from + i));
}

export function unpackU16(from: usize, to: usize, n: i32): void {
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    const words = v128.load(from + 2 * i);
    v128.store(to + 4 * i, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(words)));
    v128.store(to + 4 * i, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(words)), 16);
  }
  for (; i < n; i++) store<f32>(to + 4 * i, <f32>load<u16>(from + 2 * i));
}

export function unpackI16(from: usize, to: usize, n: i32): void {
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    const words = v128.load(from + 2 * i);
    v128.store(to + 4 * i, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(words)));
    v128.store(to + 4 * i, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(words)), 16);
  }
  for (; i < n; i++) store<f32>(to + 4 * i, <f32>load<i16>(from + 2 * i));
}

export function unpackF32(from: usize, to: usize, n: i32): void {
  memory.copy(to, from, 4 * n);
}
