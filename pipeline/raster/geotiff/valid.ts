/** Which cells hold values: not nodata, finite, and not hidden by a mask or by opacity 0. */
import type { SourceArray } from '../map.js';

/** `whole`: no cell is invalid. `masks`: 0 where a cell is hidden. */
export function validCells(
  bands: readonly SourceArray[],
  nodata: number | null,
  masks: readonly SourceArray[],
): { valid: Uint8Array; whole: boolean } {
  const valid = new Uint8Array(bands[0].length).fill(1);
  for (const band of bands) {
    if (nodata !== null && !Number.isNaN(nodata)) dropEqual(band, nodata, valid);
    if (band instanceof Float32Array || band instanceof Float64Array) dropInfinite(band, valid);
  }
  for (const mask of masks) dropEqual(mask, 0, valid);
  return { valid, whole: !valid.includes(0) };
}

function dropEqual(numbers: SourceArray, value: number, valid: Uint8Array): void {
  for (let cell = 0; cell < numbers.length; cell++) if (numbers[cell] === value) valid[cell] = 0;
}

/** A number less itself is 0 unless it is infinite or none. */
function dropInfinite(numbers: Float32Array | Float64Array, valid: Uint8Array): void {
  for (let cell = 0; cell < numbers.length; cell++) if (numbers[cell] - numbers[cell] !== 0) valid[cell] = 0;
}
