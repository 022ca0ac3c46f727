/** Which cells hold values: not nodata, finite, and not hidden by a mask or by opacity 0. */
import type { SourceArray } from '../map.js';

/** `whole`: no cell is invalid. `masks`: 0 where a cell is hidden. */
export function validCells(
  bands: readonly SourceArray[],
  nodata: number | null,
  masks: readonly SourceArray[],
): { valid: Uint8Array; whole: boolean } {
  const missing = nodata !== null && !Number.isNaN(nodata);
  if (masks.length === 0 && bands.every((band) => !(missing && band.includes(nodata)) && allFinite(band)))
    return { valid: ones(bands[0].length), whole: true };
  const valid = new Uint8Array(bands[0].length).fill(1);
  for (const band of bands) {
    if (missing) dropEqual(band, nodata, valid);
    if (band instanceof Float32Array || band instanceof Float64Array) dropInfinite(band, valid);
  }
  for (const mask of masks) dropEqual(mask, 0, valid);
  return { valid, whole: !valid.includes(0) };
}

/** Sums of x - x, which is 0 unless x is infinite or none. */
function allFinite(numbers: SourceArray): boolean {
  if (!(numbers instanceof Float32Array || numbers instanceof Float64Array)) return true;
  let [a, b, c, d] = [0, 0, 0, 0];
  const fours = numbers.length & ~3;
  for (let i = 0; i < fours; i += 4) {
    a += numbers[i] - numbers[i];
    b += numbers[i + 1] - numbers[i + 1];
    c += numbers[i + 2] - numbers[i + 2];
    d += numbers[i + 3] - numbers[i + 3];
  }
  for (let i = fours; i < numbers.length; i++) a += numbers[i] - numbers[i];
  return a + b + c + d === 0;
}

/** Ones, shared by all maps that have no other: nobody writes into them. */
function ones(n: number): Uint8Array {
  if (n > MOST_ONES) return new Uint8Array(n).fill(1);
  if (n > kept.length) kept = new Uint8Array(n).fill(1);
  return kept.subarray(0, n);
}

const MOST_ONES = 2 ** 24;
let kept = new Uint8Array(0);

function dropEqual(numbers: SourceArray, value: number, valid: Uint8Array): void {
  for (let cell = 0; cell < numbers.length; cell++) if (numbers[cell] === value) valid[cell] = 0;
}

/** A number less itself is 0 unless it is infinite or none. */
function dropInfinite(numbers: Float32Array | Float64Array, valid: Uint8Array): void {
  for (let cell = 0; cell < numbers.length; cell++) if (numbers[cell] - numbers[cell] !== 0) valid[cell] = 0;
}
