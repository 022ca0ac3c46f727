/**
 * One memory for the blocks of all GeoTIFF maps of this process: a block is unpacked at `block`, and what is made of it
 * lies at `spare`. It grows with the largest block and starts again after a huge one.
 */
import { type Kernel, loadKernel } from '../../kernels/index.js';

const PAGE = 65_536;
/** After the kernel's own data: the table of LZW and LERC (32 KiB), then the two places. */
const TABLE = PAGE;
const BLOCK = 2 * PAGE;
/** Kernels read and write some bytes past the end. */
export const RESERVE = 64;
/** A memory that has grown past this is given back after the map. */
const MOST_KEPT = 64 * 2 ** 20;

export interface Scratch {
  readonly kernel: Kernel;
  readonly table: number;
  readonly block: number;
  readonly spare: number;
  /** All of the memory; lost when the next scratch is taken. */
  readonly bytes: Uint8Array;
}

let kept: Kernel | undefined;

/** Room for `bytes` in each of the two places. What was there before is lost. */
export function takeScratch(bytes: number): Scratch {
  if (kept && kept.memory.buffer.byteLength > MOST_KEPT) kept = undefined;
  kept ??= loadKernel('blocks', { pages: 4 });
  const spare = BLOCK + 16 * Math.ceil((bytes + RESERVE) / 16);
  const missing = spare + bytes + RESERVE - kept.memory.buffer.byteLength;
  if (missing > 0) kept.memory.grow(Math.ceil(missing / PAGE));
  return { kernel: kept, table: TABLE, block: BLOCK, spare, bytes: new Uint8Array(kept.memory.buffer) };
}
