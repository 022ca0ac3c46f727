// Pieces of a LERC blob: packed numbers, masks, the checksum. What cannot be read gives 0.

/** Rows and columns of a block inside the blob, at most; its numbers take 4 KiB of the table. */
export const MOST_SIDE: i32 = 32;
/** In the table, after the numbers of a block. */
const LUT: usize = 4 * MOST_SIDE * MOST_SIDE;

/** `n` numbers of some bits each -> u32 at `table`. Gives where they end. */
export function unpack(at: usize, end: usize, n: i32, table: usize): usize {
  if (at >= end) return 0;
  const head = <i32>load<u8>(at++);
  const bits = head & 31;
  const countBytes: usize = head >> 6 === 0 ? 4 : 3 - (head >> 6);
  if (bits === 0 || countBytes === 0 || at + countBytes > end) return 0;
  const count = countBytes === 1 ? <i32>load<u8>(at) : countBytes === 2 ? <i32>load<u16>(at) : load<i32>(at);
  at += countBytes;
  if (count !== n) return 0;
  return head & 32 ? listed(at, end, n, bits, table) : unstuff(at, end, n, bits, table);
}

/** Numbers of a short list: first the list without its 0, then places in it. */
function listed(at: usize, end: usize, n: i32, bits: i32, table: usize): usize {
  if (at >= end) return 0;
  const last = <i32>load<u8>(at++) - 1;
  if (last < 1) return 0;
  const list = table + LUT;
  store<u32>(list, 0);
  at = unstuff(at, end, last, bits, list + 4);
  if (at === 0) return 0;
  at = unstuff(at, end, n, 32 - <i32>clz<u32>(last), table);
  if (at === 0) return 0;
  for (let i = 0; i < n; i++) {
    const place = load<u32>(table + 4 * i);
    if (place > <u32>last) return 0;
    store<u32>(table + 4 * i, load<u32>(list + 4 * place));
  }
  return at;
}

/** Least significant bit first; some bytes past the last may be read. */
function unstuff(at: usize, end: usize, n: i32, bits: i32, to: usize): usize {
  const bytes: usize = (n * bits + 7) >> 3;
  if (at + bytes > end) return 0;
  const mask: u64 = ((<u64>1) << bits) - 1;
  for (let i = 0, bit: usize = 0; i < n; i++, bit += bits)
    store<u32>(to + 4 * i, <u32>((load<u64>(at + (bit >> 3)) >> (bit & 7)) & mask));
  return at + bytes;
}

/** Runs of bytes -> `bytes` bytes at `to`: a count, then so many bytes, or, negative, one byte so often. 1 where all came. */
export function unpackMask(at: usize, count: i32, to: usize, bytes: i32): i32 {
  const end = at + count;
  const last = to + bytes;
  while (at + 2 <= end) {
    const run = <i32>load<i16>(at);
    at += 2;
    if (run === i16.MIN_VALUE) return to === last ? 1 : 0;
    const length = <usize>abs(run);
    const stored: usize = run > 0 ? length : 1;
    if (run === 0 || at + stored > end || to + length > last) return 0;
    if (run > 0) memory.copy(to, at, length);
    else memory.fill(to, load<u8>(at), length);
    at += stored;
    to += length;
  }
  return 0;
}

/** Bits `first` .. `first + n - 1`, at most 32, of a mask that begins with the highest bit, moved to the top of a word. */
export function maskBits(mask: usize, first: i32, n: i32): u64 {
  const word = bswap<u64>(load<u64>(mask + (first >> 3))) << (first & 7);
  return word & ~(u64.MAX_VALUE >> n);
}

/** Fletcher's checksum of 16-bit words, high byte first. */
export function checksum(at: usize, bytes: i32): u32 {
  let a: u32 = 0xffff;
  let b: u32 = 0xffff;
  for (let words = bytes >> 1; words > 0; ) {
    // The most words whose sums fit 32 bits.
    const now = min(words, 359);
    words -= now;
    for (let i = 0; i < now; i++, at += 2) {
      a += bswap<u16>(load<u16>(at));
      b += a;
    }
    a = (a & 0xffff) + (a >> 16);
    b = (b & 0xffff) + (b >> 16);
  }
  if (bytes & 1) {
    a += (<u32>load<u8>(at)) << 8;
    b += a;
  }
  a = (a & 0xffff) + (a >> 16);
  b = (b & 0xffff) + (b >> 16);
  return (b << 16) | a;
}
