// LERC as most files hold it (versions 2.3 and 2.4, one band), straight to its place. Whatever else a blob is, spoilt ones
// among them, is left to others.
import { checksum, MOST_SIDE, maskBits, unpack, unpackMask } from './lercBits';

/** Not a blob of this kind, or one that is spoilt. */
const OTHER: i32 = 0;
const DONE: i32 = 1;

const I8: i32 = 0;
const U8: i32 = 1;
const I16: i32 = 2;
const U16: i32 = 3;
const I32: i32 = 4;
const F32: i32 = 6;
const F64: i32 = 7;

/** Bytes before what the checksum covers: `Lerc2 `, version, checksum. */
const CHECKED: usize = 14;

/** What blocks of one blob share. */
let width: i32 = 0;
let type: i32 = 0;
let scale: f64 = 0;
let largest: f64 = 0;
let end: usize = 0;
let table: usize = 0;

/**
 * The blob of `count` bytes at `from` -> `rows` x `columns` numbers of type 2 (i16), 3 (u16), 6 (f32) or 7 (f64) at `to`.
 * `room`: 32 KiB; `mask`: a bit a cell; 16 bytes past blob and mask may be read. Masked cells become `filler`; a blob that
 * has some is left to others where `fills` is 0.
 */
export function lerc(
  from: usize,
  count: i32,
  to: usize,
  rows: i32,
  columns: i32,
  holding: i32,
  room: usize,
  mask: usize,
  fills: i32,
  filler: f64,
): i32 {
  type = holding;
  table = room;
  if (holding === F32) return unblob<f32>(from, count, to, rows, columns, mask, fills, filler);
  if (holding === F64) return unblob<f64>(from, count, to, rows, columns, mask, fills, filler);
  if (holding === I16) return unblob<i16>(from, count, to, rows, columns, mask, fills, filler);
  if (holding === U16) return unblob<u16>(from, count, to, rows, columns, mask, fills, filler);
  return OTHER;
}

function unblob<T>(
  from: usize,
  count: i32,
  to: usize,
  rows: i32,
  columns: i32,
  mask: usize,
  fills: i32,
  filler: f64,
): i32 {
  if (count < 66 || load<u32>(from) !== 0x6372654c || load<u16>(from, 4) !== 0x2032) return OTHER; // `Lerc2 `
  const version = load<i32>(from, 6);
  let at = from + CHECKED;
  if ((version !== 3 && version !== 4) || load<i32>(at) !== rows || load<i32>(at, 4) !== columns)
    return OTHER;
  at += 8;
  if (version === 4) {
    if (count < 70 || load<i32>(at) !== 1) return OTHER;
    at += 4;
  }
  const seen = load<i32>(at);
  const side = load<i32>(at, 4);
  if (load<i32>(at, 8) !== count || load<i32>(at, 12) !== type || side < 1 || side > MOST_SIDE) return OTHER;
  if (checksum(from + CHECKED, count - <i32>CHECKED) !== load<u32>(from, 10)) return OTHER;
  const least = load<f64>(at, 24);
  scale = 2 * load<f64>(at, 16);
  largest = load<f64>(at, 32);
  // Blobs of one number, and bounds that are none or that the type cannot hold, are rare.
  if (!(scale >= 0) || !(least < largest) || !holds<T>(least) || !holds<T>(largest)) return OTHER;
  width = columns;
  end = from + count;
  const cells = rows * columns;
  const masked = load<i32>(at, 40);
  at += 44;
  if (seen !== cells) {
    if (fills === 0 || seen < 1 || seen > cells || masked < 1 || at + <usize>masked > end) return OTHER;
    if (unpackMask(at, masked, mask, (cells + 7) >> 3) === 0) return OTHER;
    at += masked;
    for (let i = 0; i < cells; i++) store<T>(to + <usize>i * sizeof<T>(), cast<T>(filler));
  } else if (masked !== 0) return OTHER;
  if (version === 4) {
    if (at + 2 * sizeof<T>() > end || load<T>(at) === load<T>(at + sizeof<T>())) return OTHER;
    at += 2 * sizeof<T>();
  }
  if (at + 1 > end || load<u8>(at++) !== 0) return OTHER; // numbers as they are
  return blocks<T>(at, to, rows, side, seen === cells ? 0 : mask, seen);
}

/** `seen`: valid cells that the blocks must have together. */
function blocks<T>(at: usize, to: usize, rows: i32, side: i32, mask: usize, seen: i32): i32 {
  for (let top = 0; top < rows; top += side)
    for (let left = 0; left < width; left += side) {
      const high = min(side, rows - top);
      const wide = min(side, width - left);
      const first = top * width + left;
      const n = mask === 0 ? high * wide : count(mask, first, high, wide);
      const place = to + <usize>first * sizeof<T>();
      const mark = (left >> 3) & 15;
      seen -= n;
      if (n === high * wide) at = whole<T>(at, place, high, wide, mark);
      else at = partly<T>(at, place, high, wide, mark, mask, first, n);
      if (at === 0) return OTHER;
    }
  return seen === 0 ? DONE : OTHER;
}

function count(mask: usize, first: i32, rows: i32, columns: i32): i32 {
  let n = 0;
  for (let row = 0; row < rows; row++, first += width) n += <i32>popcnt<u64>(maskBits(mask, first, columns));
  return n;
}

/** A block without masked cells. Gives where the next one begins; 0 where this one cannot be read. */
function whole<T>(at: usize, to: usize, rows: i32, columns: i32, mark: i32): usize {
  if (at >= end) return 0;
  const flag = <i32>load<u8>(at++);
  if (((flag >> 2) & 15) !== mark) return 0;
  const rowBytes = <usize>columns * sizeof<T>();
  const stride = <usize>width * sizeof<T>();
  if ((flag & 3) === 2) {
    for (let row = 0; row < rows; row++, to += stride) memory.fill(to, 0, rowBytes);
    return at;
  }
  if ((flag & 3) === 0) {
    if (at + <usize>rows * rowBytes > end) return 0;
    for (let row = 0; row < rows; row++, at += rowBytes, to += stride) memory.copy(to, at, rowBytes);
    return at;
  }
  const offset = offsetAt(at, flag >> 6);
  at += offsetBytes(flag >> 6);
  if (at > end || !(abs(offset) < Infinity)) return 0;
  if ((flag & 3) === 3) {
    const value = cast<T>(offset);
    for (let row = 0; row < rows; row++, to += stride)
      for (let i = 0; i < columns; i++) store<T>(to + <usize>i * sizeof<T>(), value);
    return at;
  }
  at = unpack(at, end, rows * columns, table);
  if (at === 0) return 0;
  for (let row = 0, numbers = table; row < rows; row++, to += stride, numbers += 4 * columns)
    scaled<T>(numbers, to, columns, offset);
  return at;
}

/** A block of which `n` cells, fewer than all, are valid: only their numbers are there. */
function partly<T>(
  at: usize,
  to: usize,
  rows: i32,
  columns: i32,
  mark: i32,
  mask: usize,
  first: i32,
  n: i32,
): usize {
  if (at >= end) return 0;
  const flag = <i32>load<u8>(at++);
  const kind = flag & 3;
  if (((flag >> 2) & 15) !== mark) return 0;
  if (n === 0) return kind === 2 ? at : 0;
  let offset: f64 = 0;
  let numbers = at;
  if (kind === 0) at += <usize>n * sizeof<T>();
  else if (kind !== 2) {
    offset = offsetAt(at, flag >> 6);
    at += offsetBytes(flag >> 6);
    if (at > end || !(abs(offset) < Infinity)) return 0;
    numbers = table;
    if (kind === 1) at = unpack(at, end, n, table);
  }
  if (at === 0 || at > end) return 0;
  for (let row = 0; row < rows; row++, to += <usize>width * sizeof<T>(), first += width)
    for (let bits = maskBits(mask, first, columns); bits !== 0; ) {
      const i = <i32>clz<u64>(bits);
      bits &= ~(0x8000000000000000 >> <u64>i);
      const place = to + <usize>i * sizeof<T>();
      if (kind === 0) {
        store<T>(place, load<T>(numbers));
        numbers += sizeof<T>();
      } else if (kind === 1) {
        store<T>(place, one<T>(numbers, offset));
        numbers += 4;
      } else store<T>(place, cast<T>(offset));
    }
  return at;
}

function holds<T>(value: f64): bool {
  if (isFloat<T>()) return abs(value) < Infinity;
  return abs(value) <= 65_536 && <f64>(<T>(<i32>value)) === value;
}

function cast<T>(value: f64): T {
  if (isFloat<T>()) return <T>value;
  return <T>(<i32>value);
}

/** offset + number x scale, at most the largest, in f64. */
function one<T>(number: usize, offset: f64): T {
  const value = offset + <f64>load<u32>(number) * scale;
  return cast<T>(largest < value ? largest : value);
}

function scaled<T>(numbers: usize, to: usize, n: i32, offset: f64): void {
  let i = 0;
  if (sizeof<T>() === 4 && isFloat<T>()) {
    const start = f64x2.splat(offset);
    const step = f64x2.splat(scale);
    const most = f64x2.splat(largest);
    for (; i + 4 <= n; i += 4) {
      const four = v128.load(numbers + 4 * i);
      const high = i64x2.shuffle(four, four, 1, 1);
      const a = f64x2.add(start, f64x2.mul(f64x2.convert_low_i32x4_u(four), step));
      const b = f64x2.add(start, f64x2.mul(f64x2.convert_low_i32x4_u(high), step));
      const low = f32x4.demote_f64x2_zero(f64x2.pmin(a, most));
      const rest = f32x4.demote_f64x2_zero(f64x2.pmin(b, most));
      v128.store(to + 4 * i, i64x2.shuffle(low, rest, 0, 2));
    }
  }
  for (; i < n; i++) store<T>(to + <usize>i * sizeof<T>(), one<T>(numbers + 4 * i, offset));
}

/** The type of a block's offset; -1 where there is none. */
function offsetType(code: i32): i32 {
  if (code === 0) return type;
  if (type === F32) return code === 1 ? I16 : U8;
  if (type === F64) return code === 1 ? F32 : code === 2 ? I32 : I16;
  if (type === I16) return code === 1 ? U8 : code === 2 ? I8 : -1;
  return code === 1 ? U8 : -1;
}

function offsetBytes(code: i32): usize {
  const its = offsetType(code);
  if (its === U8 || its === I8) return 1;
  if (its === I16 || its === U16) return 2;
  return its === F64 ? 8 : 4;
}

/** NaN where its type is none. */
function offsetAt(at: usize, code: i32): f64 {
  const its = offsetType(code);
  if (its === U8) return <f64>load<u8>(at);
  if (its === I8) return <f64>load<i8>(at);
  if (its === I16) return <f64>load<i16>(at);
  if (its === U16) return <f64>load<u16>(at);
  if (its === I32) return <f64>load<i32>(at);
  if (its === F32) return <f64>load<f32>(at);
  return its === F64 ? load<f64>(at) : NaN;
}
