// Masks have a bit a cell, lowest first. Eight cells at a time where all of them are alike, as they mostly are.

/** A byte 1 for each of eight cells. */
const ONES: u64 = u64.MAX_VALUE / 0xff;

/** Values of cells without their bit become 0. */
export function clearInvalid(mask: usize, values: usize, cells: i32, bands: i32): void {
  const bytes = 4 * bands;
  for (let cell = 0; cell < cells; cell += 8) {
    const bits = <i32>load<u8>(mask + (cell >> 3));
    const count = min(8, cells - cell);
    if (bits === 0xff) continue;
    if (bits === 0) memory.fill(values + cell * bytes, 0, count * bytes);
    else
      for (let k = 0; k < count; k++)
        if (((bits >> k) & 1) === 0) memory.fill(values + (cell + k) * bytes, 0, bytes);
  }
}

/** Bits as bytes 0 or 1. */
export function spreadMask(mask: usize, valid: usize, cells: i32): void {
  for (let cell = 0; cell < cells; cell += 8) {
    const bits = <i32>load<u8>(mask + (cell >> 3));
    const count = min(8, cells - cell);
    if (count === 8 && bits === 0xff) store<u64>(valid + cell, ONES);
    else if (count === 8 && bits === 0) store<u64>(valid + cell, 0);
    else for (let k = 0; k < count; k++) store<u8>(valid + cell + k, <u8>((bits >> k) & 1));
  }
}
