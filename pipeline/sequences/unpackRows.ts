/** Stored frames out of the ring into batches, in physical units: one kernel call a frame, in the memory they lie in. */
import { frameSize, STORED } from '../../schemas/arrow/index.js';
import type { DatasetDescription } from '../../schemas/records/index.js';
import { loadKernelOn } from '../kernels/index.js';
import { conversionOf, MASKED, NOTHING } from '../shards/index.js';
import type { WindowRoom } from './windowRoom.js';

/**
 * Entries `from` .. `to - 1` of `list`, two numbers each: row of the ring (-1: nothing), frame of the batches. Entries of
 * one row follow one another.
 */
export type UnpackRows = (list: Int32Array, from: number, to: number) => void;

export interface UnpackOptions {
  masks: boolean;
  shared: boolean;
}

export function rowUnpacker(
  description: DatasetDescription,
  { memory, places, kinds }: WindowRoom,
  { masks, shared }: UnpackOptions,
): UnpackRows {
  const { values: numbers, cells, maskBytes } = frameSize(description);
  const bands = description.bands.length;
  const { name, plain } = conversionOf(description);
  const kernel = loadKernelOn(shared ? 'unpackShared' : 'unpack', memory);
  const convert = kernel[name];
  const frameBytes = numbers * STORED[description.dtype].array.BYTES_PER_ELEMENT;
  const valuesOf = (frame: number) => places.values + frame * numbers * 4;
  const validOf = (frame: number) => places.valid + frame * cells;
  const maskOf = (row: number) => places.masks + row * maskBytes;

  function clear(frame: number): void {
    kernel.fillBytes(valuesOf(frame), 0, numbers * 4);
    if (masks) kernel.fillBytes(validOf(frame), 0, cells);
  }

  function unpack(row: number, frame: number): void {
    const masked = kinds[row] === MASKED;
    convert(places.rows + row * frameBytes, valuesOf(frame), numbers, bands, places.table);
    if (masked) kernel.clearInvalid(maskOf(row), valuesOf(frame), cells, bands);
    if (!masks) return;
    if (masked) kernel.spreadMask(maskOf(row), validOf(frame), cells);
    else kernel.fillBytes(validOf(frame), 1, cells);
  }

  /** A frame that was unpacked just before, for another window. */
  function again(row: number, frame: number, done: number): void {
    // Stored numbers are fewer bytes to read than unpacked ones, unless there is more to do with them.
    if (plain && kinds[row] !== MASKED) {
      unpack(row, frame);
      return;
    }
    kernel.copyBytes(valuesOf(done), valuesOf(frame), numbers * 4);
    if (masks) kernel.copyBytes(validOf(done), validOf(frame), cells);
  }

  return (list, from, to) => {
    let [last, done] = [-1, -1];
    for (let i = from; i < to; i++) {
      const [row, frame] = [list[2 * i], list[2 * i + 1]];
      if (row < 0 || kinds[row] === NOTHING) clear(frame);
      else if (row === last) again(row, frame, done);
      else {
        unpack(row, frame);
        [last, done] = [row, frame];
      }
    }
  };
}
