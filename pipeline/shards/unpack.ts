/**
 * Stored frames -> physical units and masks, piece by piece through a WebAssembly kernel whose memory is small and fixed.
 * The numbers are those of `stored * scale + offset` in JavaScript, bit for bit.
 */
import { frameSize, STORED, type StoredArray } from '../../schemas/arrow/index.js';
import type { DatasetDescription } from '../../schemas/records/index.js';
import { KERNEL_PAGE, loadKernel } from '../kernels/index.js';
import { conversionOf } from './conversion.js';
import type { FrameBuffers } from './store.js';

/** One frame: `stored [height, width, band]`, `mask` a bit for each cell or null -> the start of `out`; 0 where invalid. */
export type UnpackFrame = (stored: StoredArray, mask: Uint8Array | null, out: FrameBuffers) => void;

/** Numbers in a piece, as long as one row of eight cells has fewer. */
const PIECE = 1 << 15;
/** The kernel's own data lies below. */
const BASE = 1024;

export function frameUnpacker(description: DatasetDescription): UnpackFrame {
  const { bands, dtype } = description;
  const { cells } = frameSize(description);
  const { name, plain, table } = conversionOf(description);
  const pieceCells = Math.max(8, Math.floor(PIECE / bands.length / 8) * 8); // a mask is cut at whole bytes
  const pieceValues = pieceCells * bands.length;
  const at = places(table.byteLength, bands.length, pieceCells);
  const { functions, memory } = loadKernel('unpack', { pages: Math.ceil(at.end / KERNEL_PAGE) });
  const from = new STORED[dtype].array(memory.buffer, at.stored, pieceValues);
  const to = new Float32Array(memory.buffer, at.values, pieceValues);
  const bits = new Uint8Array(memory.buffer, at.mask, pieceCells / 8);
  const bytes = new Uint8Array(memory.buffer, at.valid, pieceCells);
  new Float64Array(memory.buffer, at.table, table.length).set(table);
  const convert = functions[name];
  const copies = plain && dtype === 'f32';

  return (stored, mask, { values, valid }) => {
    if (!mask) valid.fill(1, 0, cells);
    if (!mask && copies) {
      values.set(stored);
      return;
    }
    for (let cell = 0; cell < cells; cell += pieceCells) {
      const count = Math.min(pieceCells, cells - cell);
      const n = count * bands.length;
      const part = stored.subarray(cell * bands.length, cell * bands.length + n);
      if (copies) to.set(part);
      else {
        from.set(part);
        convert(at.stored, at.values, n, bands.length, at.table);
      }
      if (mask) {
        bits.set(mask.subarray(cell >> 3, (cell + count + 7) >> 3));
        functions.clearInvalid(at.mask, at.values, count, bands.length);
        functions.spreadMask(at.mask, at.valid, count);
        valid.set(bytes.subarray(0, count), cell);
      }
      values.set(n === pieceValues ? to : to.subarray(0, n), cell * bands.length);
    }
  };
}

/** Byte offsets in the kernel's memory. */
function places(tableBytes: number, bands: number, cells: number) {
  const table = BASE;
  const stored = table + tableBytes;
  const values = stored + 4 * bands * cells;
  const mask = values + 4 * bands * cells;
  const valid = mask + cells / 8;
  return { table, stored, values, mask, valid, end: valid + cells };
}
