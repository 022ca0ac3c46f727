/**
 * The inner loops of resampling: weighted means of source cells. Those of at most two cells along each axis, which are
 * nearest and bilinear, have a loop of their own, and a kernel where no cell is invalid (four.ts); all give the same bits. No
 * arrays are made in them: each would be garbage.
 */
import type { SourceArray } from './map.js';

const LEAST_WEIGHT = 0.5;

/** Source cells and weights along one axis: target i uses entries start[i] .. start[i + 1]. */
export interface AxisWeights {
  start: Uint32Array;
  cells: Uint32Array;
  weights: Float64Array;
}

/** Bands of the source: `[source rows, source columns]`. */
export interface SourceBand {
  values: SourceArray;
  valid: Uint8Array;
  width: number;
}

/** `[target rows, target columns, step]`, of which number `at` of each cell is written. */
export interface TargetBand {
  values: Float32Array;
  valid: Uint8Array;
  step: number;
  at: number;
}

const hasEnough = (whole: number, weight: number): boolean =>
  whole > 0 && weight >= LEAST_WEIGHT * (1 - 1e-9);

/** Any number of cells. */
export function weighAny(
  rows: AxisWeights,
  columns: AxisWeights,
  { values, valid, width }: SourceBand,
  out: TargetBand,
): void {
  const height = rows.start.length - 1;
  const targetWidth = columns.start.length - 1;
  for (let row = 0; row < height; row++)
    for (let column = 0; column < targetWidth; column++) {
      let sum = 0;
      let weight = 0;
      let whole = 0;
      for (let r = rows.start[row]; r < rows.start[row + 1]; r++)
        for (let c = columns.start[column]; c < columns.start[column + 1]; c++) {
          const share = rows.weights[r] * columns.weights[c];
          const cell = rows.cells[r] * width + columns.cells[c];
          whole += share;
          if (!valid[cell]) continue;
          sum += share * values[cell];
          weight += share;
        }
      const target = row * targetWidth + column;
      if (hasEnough(whole, weight)) out.values[target * out.step + out.at] = sum / weight;
      else out.valid[target] = 0;
    }
}

/** Two cells and weights a target along one axis; where there is one, the second has no weight. */
export interface Pairs {
  a: Uint32Array;
  b: Uint32Array;
  wa: Float64Array;
  wb: Float64Array;
}

/** Null where a target takes more than two. */
export function pairs({ start, cells, weights }: AxisWeights): Pairs | null {
  const n = start.length - 1;
  const out = {
    a: new Uint32Array(n),
    b: new Uint32Array(n),
    wa: new Float64Array(n),
    wb: new Float64Array(n),
  };
  for (let i = 0; i < n; i++) {
    const from = start[i];
    const many = start[i + 1] - start[i];
    if (many > 2) return null;
    if (many > 0) [out.a[i], out.wa[i], out.b[i]] = [cells[from], weights[from], cells[from]];
    if (many > 1) [out.b[i], out.wb[i]] = [cells[from + 1], weights[from + 1]];
  }
  return out;
}

/** The same sums in the same order as `weighAny`, so that every bit agrees; a weight of 0 changes none. */
export function weighFourMasked(
  rows: Pairs,
  columns: Pairs,
  { values, valid, width }: SourceBand,
  out: TargetBand,
): void {
  const [height, targetWidth] = [rows.a.length, columns.a.length];
  const { values: target, step } = out;
  for (let row = 0, at = out.at, cell = 0; row < height; row++) {
    const above = rows.a[row] * width;
    const below = rows.b[row] * width;
    const wAbove = rows.wa[row];
    const wBelow = rows.wb[row];
    for (let column = 0; column < targetWidth; column++, at += step, cell++) {
      const left = columns.a[column];
      const right = columns.b[column];
      const wLeft = columns.wa[column];
      const wRight = columns.wb[column];
      const w1 = wAbove * wLeft;
      const w2 = wAbove * wRight;
      const w3 = wBelow * wLeft;
      const w4 = wBelow * wRight;
      const i1 = above + left;
      const i2 = above + right;
      const i3 = below + left;
      const i4 = below + right;
      let sum = 0;
      let weight = 0;
      if (valid[i1]) {
        sum += w1 * values[i1];
        weight += w1;
      }
      if (valid[i2]) {
        sum += w2 * values[i2];
        weight += w2;
      }
      if (valid[i3]) {
        sum += w3 * values[i3];
        weight += w3;
      }
      if (valid[i4]) {
        sum += w4 * values[i4];
        weight += w4;
      }
      if (hasEnough(w1 + w2 + w3 + w4, weight)) target[at] = sum / weight;
      else out.valid[cell] = 0;
    }
  }
}
