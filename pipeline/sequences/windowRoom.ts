/**
 * The memory of a ring of stored frames and of the batches made from it: one block of WebAssembly memory, so that the
 * kernels read and write in place, in any thread.
 */
import { frameSize, STORED } from '../../schemas/arrow/index.js';
import type { DatasetDescription } from '../../schemas/records/index.js';
import { KERNEL_PAGE, type KernelMemory, kernelMemory, MOST_KERNEL_PAGES } from '../kernels/index.js';
import { conversionOf, type StoredRows } from '../shards/index.js';

export interface WindowRoom {
  memory: KernelMemory;
  places: RoomPlaces;
  /** How each row of the ring is to be unpacked; a byte a row. */
  kinds: Uint8Array;
}

/** Byte offsets in the memory. */
export interface RoomPlaces {
  /** Scales and offsets. */
  table: number;
  /** `[row, bytes of a stored frame]` and `[row, bytes of a mask]`. */
  rows: number;
  masks: number;
  /** Batches: `[slot, frame, height, width, band]` f32, and `[slot, frame, height, width]` where masks are made. */
  values: number;
  valid: number;
  end: number;
}

export interface RoomSize {
  /** Frames of the ring. */
  capacity: number;
  /** Frames of all batches. */
  frames: number;
  masks: boolean;
  shared: boolean;
}

/** The kernels' own data lies below. */
const BASE = 1024;
/** A line of the processor's cache. */
const LINE = 64;

/** Null where it does not fit into one WebAssembly memory (4 GiB), or the system gives none. */
export function windowRoom(description: DatasetDescription, size: RoomSize): WindowRoom | null {
  const places = placesOf(description, size);
  const pages = Math.ceil(places.end / KERNEL_PAGE);
  if (pages > MOST_KERNEL_PAGES) return null;
  let memory: KernelMemory;
  try {
    memory = kernelMemory({ pages, shared: size.shared });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
  const { table } = conversionOf(description);
  new Float64Array(memory.buffer, places.table, table.length).set(table);
  const Memory = size.shared ? SharedArrayBuffer : ArrayBuffer;
  return { memory, places, kinds: new Uint8Array(new Memory(size.capacity)) };
}

function placesOf(description: DatasetDescription, { capacity, frames, masks }: RoomSize): RoomPlaces {
  const { cells, values: numbers, maskBytes } = frameSize(description);
  const frameBytes = numbers * STORED[description.dtype].array.BYTES_PER_ELEMENT;
  let end = BASE;
  const take = (bytes: number) => {
    const at = end;
    end = Math.ceil((at + bytes) / LINE) * LINE;
    return at;
  };
  return {
    table: take(conversionOf(description).table.byteLength),
    rows: take(capacity * frameBytes),
    masks: take(capacity * maskBytes),
    values: take(frames * numbers * 4),
    valid: take(masks ? frames * cells : 0),
    end,
  };
}

/** The rows of the ring, to read frames into. */
export function storedRows({ memory, places, kinds }: WindowRoom): StoredRows {
  const { buffer } = memory;
  return {
    values: new Uint8Array(buffer, places.rows, places.masks - places.rows),
    masks: new Uint8Array(buffer, places.masks, places.values - places.masks),
    kinds,
  };
}
