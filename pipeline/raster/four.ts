/**
 * The weighted mean of four cells of maps without invalid ones, in a kernel: the bits are those of the loops in weigh.ts.
 * Only the source rows that targets need are copied to the kernel, some megabytes at a time.
 */
import { type Kernel, loadKernel } from '../kernels/index.js';
import type { SourceArray } from './map.js';
import type { Pairs } from './weigh.js';

/** Bands of a source without invalid cells, each `[source rows, width]`. */
export interface WholeBands {
  bands: readonly SourceArray[];
  width: number;
}

/** `[target rows, target columns, step]`; band i goes to number `places[i]` of each cell. */
export interface TargetBands {
  values: Float32Array;
  valid: Uint8Array;
  step: number;
  places: readonly number[];
}

const FUNCTIONS = new Map<unknown, string>([
  [Uint8Array, 'fourU8'],
  [Uint16Array, 'fourU16'],
  [Int16Array, 'fourI16'],
  [Uint32Array, 'fourU32'],
  [Int32Array, 'fourI32'],
  [Float32Array, 'fourF32'],
  [Float64Array, 'fourF64'],
]);

/** Bytes of source rows, and of target rows, in the kernel at a time. */
const PART_BYTES = 8 * 2 ** 20;
const PAGE = 65_536;
/** After the kernel's own data. */
const FIRST = 1024;

let kept: Kernel | undefined;

/** True where the kernel knows the type of all `bands`. */
export const knowsFour = ({ bands }: WholeBands): boolean =>
  bands.every((band) => FUNCTIONS.has(band.constructor));

/** Cells with less than half of their weight stay as they are and become invalid. */
export function weighFour(rows: Pairs, columns: Pairs, source: WholeBands, out: TargetBands): void {
  const height = rows.a.length;
  const rowBytes = source.width * source.bands[0].BYTES_PER_ELEMENT;
  const outBytes = columns.a.length * out.step * Float32Array.BYTES_PER_ELEMENT;
  for (let from = 0; from < height; ) {
    const part = rowsFrom(rows, from, rowBytes, outBytes);
    weighPart(rows, columns, source, out, part);
    from = part.to;
  }
}

/** Target rows from .. to - 1 need source rows least .. most. */
interface Part {
  from: number;
  to: number;
  least: number;
  most: number;
}

function rowsFrom({ a, b, wa }: Pairs, from: number, rowBytes: number, outBytes: number): Part {
  let [least, most] = [Number.POSITIVE_INFINITY, -1];
  let to = from;
  for (; to < a.length; to++) {
    if (wa[to] === 0) continue;
    const [low, high] = [Math.min(least, a[to], b[to]), Math.max(most, a[to], b[to])];
    const bytes = Math.max((high - low + 1) * rowBytes, (to - from + 1) * outBytes);
    if (bytes > PART_BYTES && to > from) break;
    [least, most] = [low, high];
  }
  return most < 0 ? { from, to, least: 0, most: 0 } : { from, to, least, most };
}

function weighPart(
  rows: Pairs,
  columns: Pairs,
  { bands, width }: WholeBands,
  out: TargetBands,
  { from, to, least, most }: Part,
): void {
  const n = columns.a.length;
  const cells = (to - from) * n;
  const sourceBytes = (most - least + 1) * width * bands[0].BYTES_PER_ELEMENT;
  const target = out.values.subarray(from * n * out.step, to * n * out.step);
  const wide = FIRST;
  const high = align(wide + 24 * (n + 1));
  const plane = align(high + 24 * (to - from));
  const values = align(plane + sourceBytes);
  const valid = align(values + target.byteLength);
  const { functions, memory } = kernelOf(valid + cells);
  writeColumns(memory.buffer, wide, columns);
  writeRows(memory.buffer, high, rows, { from, to, least, rowBytes: width * bands[0].BYTES_PER_ELEMENT });
  const bytes = new Uint8Array(memory.buffer);
  const result = new Float32Array(memory.buffer, values, target.length);
  // Other bands of the frame, and cells that stay as they are.
  result.set(target);
  bytes.fill(1, valid, valid + cells);
  let missing = 0;
  bands.forEach((band, i) => {
    const part = band.subarray(least * width, (most + 1) * width);
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), plane);
    const four = functions[FUNCTIONS.get(band.constructor)!];
    missing += four(plane, high, to - from, wide, n, values + 4 * out.places[i], 4 * out.step, valid);
  });
  target.set(result);
  if (missing === 0) return;
  for (let cell = 0; cell < cells; cell++) if (bytes[valid + cell] === 0) out.valid[from * n + cell] = 0;
}

/** Weights left, weights right, cells left, cells right; an even count of each, as the kernel takes two at a time. */
function writeColumns(buffer: ArrayBuffer, at: number, { a, b, wa, wb }: Pairs): void {
  const n = a.length;
  const even = n + (n % 2);
  const weights = new Float64Array(buffer, at, 2 * even).fill(0);
  const cells = new Uint32Array(buffer, at + 16 * even, 2 * even).fill(0);
  weights.set(wa);
  weights.set(wb, even);
  cells.set(a);
  cells.set(b, even);
}

/** Weights above, weights below, then where those rows begin. */
function writeRows(
  buffer: ArrayBuffer,
  at: number,
  { a, b, wa, wb }: Pairs,
  { from, to, least, rowBytes }: { from: number; to: number; least: number; rowBytes: number },
): void {
  const n = to - from;
  const weights = new Float64Array(buffer, at, 2 * n);
  const offsets = new Uint32Array(buffer, at + 16 * n, 2 * n);
  weights.set(wa.subarray(from, to));
  weights.set(wb.subarray(from, to), n);
  for (let i = 0; i < n; i++) {
    offsets[i] = wa[from + i] === 0 ? 0 : (a[from + i] - least) * rowBytes;
    offsets[n + i] = wa[from + i] === 0 ? 0 : (b[from + i] - least) * rowBytes;
  }
}

const align = (at: number): number => 16 * Math.ceil(at / 16);

function kernelOf(bytes: number): Kernel {
  kept ??= loadKernel('frames', { pages: 2 });
  const missing = bytes - kept.memory.buffer.byteLength;
  if (missing > 0) kept.memory.grow(Math.ceil(missing / PAGE));
  return kept;
}
