// asc: --enable simd
// Stored numbers -> f32, bit masks -> bytes. Pointers are bytes; n counts numbers.

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

export function unpackU16(from: usize, to: usize, n: i32): void {
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    const words = v128.load(from + 2 * i);
    v128.store(to + 4 * i, f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(words)));
    v128.store(to + 4 * i, f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(words)), 16);
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

/** `table`: scale and offset (f64) of each band; n is a multiple of `bands`. Rounded once, as in JavaScript. */
function scaled<T>(from: usize, to: usize, n: i32, bands: i32, table: usize): void {
  for (let band = 0; band < bands; band++) {
    const scale = load<f64>(table + 16 * band);
    const offset = load<f64>(table + 16 * band, 8);
    for (let i = band; i < n; i += bands)
      store<f32>(to + 4 * i, <f32>(<f64>load<T>(from + sizeof<T>() * i) * scale + offset));
  }
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

/** Bits of `mask`, lowest first, as bytes 0 or 1; the values of cells without their bit become 0. */
export function applyMask(mask: usize, valid: usize, values: usize, cells: i32, bands: i32): void {
  for (let cell = 0; cell < cells; cell++) {
    const bit = (load<u8>(mask + (cell >> 3)) >> (<u8>cell & 7)) & 1;
    store<u8>(valid + cell, bit);
    if (bit === 0) memory.fill(values + 4 * cell * bands, 0, 4 * bands);
  }
}
