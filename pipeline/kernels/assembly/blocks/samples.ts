// One band out of cells that hold several.

/** Number `sample` of each of `cells` cells of `step` numbers of `size` bytes at `from` -> `to`; 16 bytes after are written. */
export function pickSample(from: usize, to: usize, cells: i32, size: i32, step: i32, sample: i32): void {
  if (size === 1) pickBytes(from, to, cells, step, sample);
  else if (size === 2)
    for (let i = 0, at = from + 2 * sample; i < cells; i++, at += 2 * step)
      store<u16>(to + 2 * i, load<u16>(at));
  else if (size === 4)
    for (let i = 0, at = from + 4 * sample; i < cells; i++, at += 4 * step)
      store<u32>(to + 4 * i, load<u32>(at));
  else
    for (let i = 0, at = from + 8 * sample; i < cells; i++, at += 8 * step)
      store<u64>(to + 8 * i, load<u64>(at));
}

function pickBytes(from: usize, to: usize, cells: i32, step: i32, sample: i32): void {
  let i = 0;
  if (step === 3) {
    // Lane i of the 16 wanted lies in lane 3 i + sample of 48 bytes; a lane outside its 16 gives 0.
    const wanted = i8x16.add(
      i8x16(0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 42, 45),
      i8x16.splat(<i8>sample),
    );
    const second = i8x16.sub(wanted, i8x16.splat(16));
    const third = i8x16.sub(wanted, i8x16.splat(32));
    for (; i + 16 <= cells; i += 16, from += 48) {
      const a = i8x16.swizzle(v128.load(from), wanted);
      const b = i8x16.swizzle(v128.load(from, 16), second);
      const c = i8x16.swizzle(v128.load(from, 32), third);
      v128.store(to + i, v128.or(v128.or(a, b), c));
    }
  }
  for (let at = from + sample; i < cells; i++, at += step) store<u8>(to + i, load<u8>(at));
}
