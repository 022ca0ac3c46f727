// TIFF LZW (TIFF 6.0, section 13): codes of 9 to 12 bits, most significant bit first, width grown one code early.

const CLEAR: u32 = 256;
const END: u32 = 257;
const FIRST: u32 = 258;
const MOST: u32 = 4096;

/** A code that is not in the table. */
export const BAD_CODE: i32 = -1;

/**
 * Unpacks `count` bytes at `from` to at most `size` bytes at `to`; 8 bytes after either may be read or written. `table`:
 * 32 KiB of scratch, for each code the place and the length of its string: every string has been written before.
 * Gives the number of bytes, at most `size`, or BAD_CODE.
 */
export function lzw(from: usize, count: i32, to: usize, size: i32, table: usize): i32 {
  const end = from + count;
  const limit = to + size;
  let at = from;
  let out = to;
  let held: u64 = 0;
  let bits: u32 = 0;
  let width: u32 = 9;
  let next = FIRST;
  let previousAt: usize = 0;
  let previousLength: u32 = 0; // 0: the next code stands alone
  while (out < limit) {
    while (bits < width && at < end) {
      held = (held << 8) | <u64>load<u8>(at++);
      bits += 8;
    }
    if (bits < width) break;
    bits -= width;
    const code = <u32>(held >> bits) & ((1 << width) - 1);
    if (code === END) break;
    if (code === CLEAR) {
      next = FIRST;
      width = 9;
      previousLength = 0;
      continue;
    }
    const grows = previousLength > 0 && next < MOST;
    if (grows) {
      const entry = table + ((<usize>next) << 3);
      store<u32>(entry, <u32>previousAt);
      store<u32>(entry, previousLength + 1, 4);
      next++;
    }
    const start = out;
    if (code < CLEAR) {
      store<u8>(out++, <u8>code);
      previousLength = 1;
    } else {
      if (code >= next) return BAD_CODE;
      const entry = table + ((<usize>code) << 3);
      const source: usize = load<u32>(entry);
      const length = load<u32>(entry, 4);
      out = copy(source, out, length, limit);
      previousLength = length;
    }
    previousAt = start;
    if (next >= ((<u32>1) << width) - 1 && width < 12) width++;
  }
  return <i32>(out - to);
}

/** A string may reach into itself by its last byte. */
function copy(source: usize, out: usize, length: u32, limit: usize): usize {
  const wanted = out + length;
  const end = wanted < limit ? wanted : limit;
  if (out - source >= 8) {
    for (; out < end; out += 8, source += 8) store<u64>(out, load<u64>(source));
    return end;
  }
  while (out < end) store<u8>(out++, load<u8>(source++));
  return end;
}
