/**
 * Seasonal climatology of each cell by least squares: mean and annual harmonics, from normal equations summed over
 * valid frames, in one pass. Values are taken relative to the cell's first one, so that nothing is lost to rounding.
 */
import { seasonalBasis } from './season.js';
import { seasonalTerms } from './statistics.js';

export interface SeasonalFit {
  /** `[cell, band, term]`. */
  coefficients: Float32Array;
  /** `[cell, band]`; 0 where the cell was constant or never seen. */
  inverseSd: Float32Array;
  /** Cells seen too seldom for harmonics: mean only. */
  meanOnly: number;
  /** Values (cell and band) that were constant or never seen: their channel is 0. */
  blank: number;
}

export interface SeasonalSums {
  add(values: Float32Array, valid: Uint8Array, time: number): void;
  fit(): SeasonalFit;
}

/** Sums for `cells` cells of `bands` bands; memory is cells x (terms^2 / 2 + bands (terms + 2)) doubles. */
export function seasonalSums(cells: number, bands: number, harmonics: number): SeasonalSums {
  const terms = seasonalTerms(harmonics);
  const pairs = (terms * (terms + 1)) / 2;
  const normal = new Float64Array(cells * pairs); // lower triangle of X'X, one a cell
  const right = new Float64Array(cells * bands * terms); // X'y
  const squares = new Float64Array(cells * bands); // y'y
  const first = new Float32Array(cells * bands); // the value that y is relative to
  const basis = new Float64Array(terms);

  function add(values: Float32Array, valid: Uint8Array, time: number): void {
    seasonalBasis(time, basis);
    for (let cell = 0; cell < cells; cell++) {
      if (!valid[cell]) continue;
      const fresh = normal[cell * pairs] === 0;
      for (let i = 0, k = cell * pairs; i < terms; i++)
        for (let j = 0; j <= i; j++, k++) normal[k] += basis[i] * basis[j];
      for (let at = cell * bands; at < (cell + 1) * bands; at++) {
        if (fresh) first[at] = values[at];
        const y = values[at] - first[at];
        squares[at] += y * y;
        for (let i = 0; i < terms; i++) right[at * terms + i] += basis[i] * y;
      }
    }
  }

  function fit(): SeasonalFit {
    const coefficients = new Float32Array(cells * bands * terms);
    const inverseSd = new Float32Array(cells * bands);
    const solution = new Float64Array(terms);
    let [meanOnly, blank] = [0, 0];
    for (let cell = 0; cell < cells; cell++) {
      const count = normal[cell * pairs]; // the first term is 1, so its square sums to the count
      const factor =
        count >= 2 * terms ? cholesky(normal.subarray(cell * pairs, (cell + 1) * pairs), terms) : null;
      if (!factor && terms > 1 && count > 0) meanOnly++;
      for (let at = cell * bands; at < (cell + 1) * bands; at++) {
        const sums = right.subarray(at * terms, (at + 1) * terms);
        solution.fill(0);
        if (factor) solve(factor, sums, solution);
        else if (count > 0) solution[0] = sums[0] / count;
        const left = squares[at] - dot(sums, solution);
        const sd = count > 0 ? Math.sqrt(Math.max(0, left) / count) : 0;
        const isConstant = sd <= 1e-7 * Math.max(Math.abs(first[at]), 1e-30);
        inverseSd[at] = isConstant ? 0 : 1 / sd;
        if (isConstant) blank++;
        solution[0] += first[at];
        coefficients.set(solution, at * terms);
      }
    }
    return { coefficients, inverseSd, meanOnly, blank };
  }

  return { add, fit };
}

/** Lower factor of a packed positive definite matrix; null where it is close to singular. */
function cholesky(packed: Float64Array, n: number): Float64Array | null {
  const factor = Float64Array.from(packed);
  const at = (i: number, j: number) => (i * (i + 1)) / 2 + j;
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = factor[at(i, j)];
      for (let k = 0; k < j; k++) sum -= factor[at(i, k)] * factor[at(j, k)];
      if (i !== j) factor[at(i, j)] = sum / factor[at(j, j)];
      else if (sum <= 1e-9 * packed[at(i, i)]) return null;
      else factor[at(i, i)] = Math.sqrt(sum);
    }
  return factor;
}

/** Solves L L' x = b into `x`. */
function solve(factor: Float64Array, b: Float64Array, x: Float64Array): void {
  const n = x.length;
  const at = (i: number, j: number) => (i * (i + 1)) / 2 + j;
  for (let i = 0; i < n; i++) {
    let sum = b[i];
    for (let k = 0; k < i; k++) sum -= factor[at(i, k)] * x[k];
    x[i] = sum / factor[at(i, i)];
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[i];
    for (let k = i + 1; k < n; k++) sum -= factor[at(k, i)] * x[k];
    x[i] = sum / factor[at(i, i)];
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
