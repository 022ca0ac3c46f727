// Predictors undone in place or from one place to another, 16 bytes at a time.

/** Lanes 0 .. 15. */
function lanes(): v128 {
  return i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

function add(a: v128, b: v128, size: i32): v128 {
  return size === 1 ? i8x16.add(a, b) : size === 2 ? i16x8.add(a, b) : i32x4.add(a, b);
}

/** Horizontal differences (TIFF 6.0, section 14) of `rows` rows of `rowBytes`: numbers of `size` bytes, `step` to a cell. */
export function accumulate(at: usize, rows: i32, rowBytes: i32, size: i32, step: i32): void {
  for (let row = 0; row < rows; row++, at += rowBytes) {
    const back = size * step;
    const done = size <= 4 && back <= 8 ? runningSums(at, rowBytes, size, back) : back;
    sumOn(at, done, rowBytes, size, back);
  }
}

/** Gives how many bytes are done; at least one cell. */
function runningSums(at: usize, bytes: i32, size: i32, back: i32): i32 {
  const chunk = (16 / back) * back;
  const by1 = i8x16.sub(lanes(), i8x16.splat(<i8>back));
  const by2 = i8x16.sub(lanes(), i8x16.splat(<i8>(2 * back)));
  const by4 = i8x16.sub(lanes(), i8x16.splat(<i8>(4 * back)));
  const by8 = i8x16.sub(lanes(), i8x16.splat(<i8>(8 * back)));
  // The last cell of a chunk, repeated: lane i takes lane chunk - back + i % back.
  let last = lanes();
  for (let lap = back; lap < 16; lap += back)
    last = v128.bitselect(
      i8x16.sub(lanes(), i8x16.splat(<i8>lap)),
      last,
      i8x16.ge_u(lanes(), i8x16.splat(<i8>lap)),
    );
  last = i8x16.add(last, i8x16.splat(<i8>(chunk - back)));
  let carry = i8x16.splat(0);
  let i = 0;
  if (bytes < 16) return back;
  let coming = v128.load(at);
  for (; i + 16 <= bytes; i += chunk) {
    let sums = coming;
    // Loaded before the store below runs over it: chunks of 15, 12 or 10 bytes overlap.
    if (i + chunk + 16 <= bytes) coming = v128.load(at + i + chunk);
    sums = add(sums, i8x16.swizzle(sums, by1), size);
    if (2 * back < 16) sums = add(sums, i8x16.swizzle(sums, by2), size);
    if (4 * back < 16) sums = add(sums, i8x16.swizzle(sums, by4), size);
    if (8 * back < 16) sums = add(sums, i8x16.swizzle(sums, by8), size);
    sums = add(sums, carry, size);
    carry = i8x16.swizzle(sums, last);
    if (chunk === 16) v128.store(at + i, sums);
    else {
      const kept = i8x16.lt_u(lanes(), i8x16.splat(<i8>chunk));
      v128.store(at + i, v128.bitselect(sums, v128.load(at + i), kept));
    }
  }
  return i;
}

/** The plain rule, from byte `i` of the row on. */
function sumOn(row: usize, i: i32, bytes: i32, size: i32, back: i32): void {
  for (let at = row + i; at < row + bytes; at += size) {
    const before = at - back;
    if (size === 1) store<u8>(at, load<u8>(at) + load<u8>(before));
    else if (size === 2) store<u16>(at, load<u16>(at) + load<u16>(before));
    else if (size === 4) store<u32>(at, load<u32>(at) + load<u32>(before));
    else store<u64>(at, load<u64>(at) + load<u64>(before));
  }
}

/**
 * The floating point predictor after its byte differences are undone: rows of byte planes, most significant first, at
 * `from` -> little-endian numbers of `size` bytes at `to`; `cells` numbers a row.
 */
export function mergePlanes(from: usize, to: usize, rows: i32, cells: i32, size: i32): void {
  for (let row = 0; row < rows; row++, from += cells * size, to += cells * size) {
    let cell = 0;
    if (size === 4)
      for (; cell + 16 <= cells; cell += 16) {
        const a = v128.load(from + cell + 3 * cells);
        const b = v128.load(from + cell + 2 * cells);
        const c = v128.load(from + cell + cells);
        const d = v128.load(from + cell);
        const ab = i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        const AB = i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        const cd = i8x16.shuffle(c, d, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        const CD = i8x16.shuffle(c, d, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        const at = to + 4 * cell;
        v128.store(at, i16x8.shuffle(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11));
        v128.store(at, i16x8.shuffle(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15), 16);
        v128.store(at, i16x8.shuffle(AB, CD, 0, 8, 1, 9, 2, 10, 3, 11), 32);
        v128.store(at, i16x8.shuffle(AB, CD, 4, 12, 5, 13, 6, 14, 7, 15), 48);
      }
    for (; cell < cells; cell++)
      for (let b = 0; b < size; b++)
        store<u8>(to + cell * size + (size - 1 - b), load<u8>(from + b * cells + cell));
  }
}
