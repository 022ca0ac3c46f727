/** Least, mean and largest valid value of each band of a frame, physical units, in a kernel. */
import { STATISTICS, type StoredArray } from '../../schemas/arrow/index.js';
import type { DatasetDescription } from '../../schemas/records/index.js';
import { type Kernel, loadKernel } from '../kernels/index.js';

const FUNCTIONS = new Map<unknown, string>([
  [Uint8Array, 'statisticsU8'],
  [Uint16Array, 'statisticsU16'],
  [Int16Array, 'statisticsI16'],
  [Float32Array, 'statisticsF32'],
]);
const PAGE = 65_536;
/** After the kernel's own data: scale and offset of each band, then what comes out. */
const TABLE = 1024;
const TABLE_BYTES = 2 * Float64Array.BYTES_PER_ELEMENT;
const OUT_BYTES = STATISTICS * Float32Array.BYTES_PER_ELEMENT;
/** A memory that has grown past this is given back after the frame. */
const MOST_KEPT = 64 * 2 ** 20;

let kept: Kernel | undefined;

/** `values [cell, band]`; `valid` is null where every cell is. NaN for a band of a frame without valid cells. */
export function statistics(
  values: StoredArray,
  valid: Uint8Array | null,
  { bands }: Pick<DatasetDescription, 'bands'>,
  out: Float32Array,
): void {
  const cells = values.length / bands.length;
  const result = TABLE + bands.length * TABLE_BYTES;
  const from = 16 * Math.ceil((result + bands.length * OUT_BYTES) / 16);
  const mask = from + values.byteLength;
  const { functions, memory } = kernelOf(mask + cells);
  const bytes = new Uint8Array(memory.buffer);
  const table = new Float64Array(memory.buffer, TABLE, 2 * bands.length);
  bands.forEach(({ scale, offset }, band) => {
    table[2 * band] = scale;
    table[2 * band + 1] = offset;
  });
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), from);
  if (valid) bytes.set(valid, mask);
  functions[FUNCTIONS.get(values.constructor)!](from, valid ? mask : 0, cells, bands.length, TABLE, result);
  out.set(new Float32Array(memory.buffer, result, STATISTICS * bands.length));
  if (memory.buffer.byteLength > MOST_KEPT) kept = undefined;
}

function kernelOf(bytes: number): Kernel {
  kept ??= loadKernel('frames', { pages: 2 });
  const missing = bytes - kept.memory.buffer.byteLength;
  if (missing > 0) kept.memory.grow(Math.ceil(missing / PAGE));
  return kept;
}
