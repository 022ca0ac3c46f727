/** Leading principal components from a covariance matrix that is summed frame by frame; memory is the square of the width. */
import { Random } from '../../random.js';

export interface Moments {
  readonly width: number;
  /** Adds one row. */
  add(row: ArrayLike<number>): void;
  components(count: number): Components;
}

export interface Components {
  readonly count: number;
  readonly mean: Float64Array;
  /** `[component, width]`, orthonormal. */
  readonly axes: Float64Array;
  /** Variance along each axis, falling. */
  readonly variance: Float64Array;
}

export function moments(width: number): Moments {
  const sum = new Float64Array(width);
  const products = new Float64Array(width * width);
  // Deviations from the first row keep the sums small.
  const origin = new Float64Array(width);
  const row = new Float64Array(width);
  let rows = 0;
  return {
    width,
    add(values) {
      if (rows === 0) origin.set(values as ArrayLike<number>);
      for (let j = 0; j < width; j++) row[j] = values[j] - origin[j];
      for (let j = 0; j < width; j++) {
        const value = row[j];
        sum[j] += value;
        if (value !== 0) for (let k = 0, at = j * width; k <= j; k++) products[at + k] += value * row[k];
      }
      rows++;
    },
    components(count) {
      const covariance = products.map((value, at) => {
        const [j, k] = [Math.floor(at / width), at % width];
        return k <= j ? (value - (sum[j] * sum[k]) / rows) / Math.max(1, rows - 1) : 0;
      });
      for (let j = 0; j < width; j++)
        for (let k = 0; k < j; k++) covariance[k * width + j] = covariance[j * width + k];
      const found = leading(covariance, width, Math.min(count, width, Math.max(1, rows - 1)));
      return { ...found, mean: sum.map((value, j) => origin[j] + value / rows) };
    },
  };
}

/** Coordinates of one row, each divided by its standard deviation, written into `out`. */
export function project(
  { count, mean, axes, variance }: Components,
  row: ArrayLike<number>,
  out: Float64Array,
): void {
  const width = mean.length;
  for (let c = 0; c < count; c++) {
    let value = 0;
    for (let j = 0, at = c * width; j < width; j++) value += axes[at + j] * (row[j] - mean[j]);
    out[c] = variance[c] > 0 ? value / Math.sqrt(variance[c]) : 0;
  }
}

const ITERATIONS = 60;
const EXTRA = 10;

/** Subspace iteration with a few extra vectors, then a rotation to the axes by Jacobi's method. */
function leading(matrix: Float64Array, width: number, count: number): Omit<Components, 'mean'> {
  const size = Math.min(width, count + EXTRA);
  const random = Random.from(0).key('components');
  let basis: Float64Array = Float64Array.from({ length: size * width }, () => random.normal());
  orthonormalise(basis, size, width);
  for (let step = 0; step < ITERATIONS; step++) {
    basis = multiply(matrix, basis, size, width);
    orthonormalise(basis, size, width);
  }
  const image = multiply(matrix, basis, size, width);
  const small = new Float64Array(size * size);
  for (let a = 0; a < size; a++)
    for (let b = 0; b < size; b++) small[a * size + b] = dot(basis, a * width, image, b * width, width);
  const { values, vectors } = jacobi(small, size);
  const order = [...values.keys()].sort((a, b) => values[b] - values[a]).slice(0, count);
  const axes = new Float64Array(count * width);
  order.forEach((from, c) => {
    for (let b = 0; b < size; b++)
      for (let j = 0; j < width; j++) axes[c * width + j] += vectors[b * size + from] * basis[b * width + j];
  });
  return { count, axes, variance: Float64Array.from(order, (from) => Math.max(0, values[from])) };
}

function multiply(matrix: Float64Array, rows: Float64Array, count: number, width: number): Float64Array {
  const out = new Float64Array(count * width);
  for (let r = 0; r < count; r++)
    for (let j = 0; j < width; j++) out[r * width + j] = dot(matrix, j * width, rows, r * width, width);
  return out;
}

/** Gram and Schmidt, twice for safety. */
function orthonormalise(rows: Float64Array, count: number, width: number): void {
  for (let r = 0; r < count; r++) {
    for (let pass = 0; pass < 2; pass++)
      for (let q = 0; q < r; q++) {
        const share = dot(rows, r * width, rows, q * width, width);
        for (let j = 0; j < width; j++) rows[r * width + j] -= share * rows[q * width + j];
      }
    const length = Math.sqrt(dot(rows, r * width, rows, r * width, width));
    for (let j = 0; j < width; j++) rows[r * width + j] = length > 1e-200 ? rows[r * width + j] / length : 0;
  }
}

function dot(a: Float64Array, from: number, b: Float64Array, at: number, width: number): number {
  let sum = 0;
  for (let j = 0; j < width; j++) sum += a[from + j] * b[at + j];
  return sum;
}

/** Eigenvalues and eigenvectors (columns) of a small symmetric matrix by cyclic rotations. */
function jacobi(symmetric: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const a = symmetric.slice();
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = 0; q < p; q++) off += a[p * n + q] ** 2;
    if (off < 1e-24 * (1 + a.reduce((s, x) => s + x * x, 0))) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, v, n, p, q);
  }
  return { values: Float64Array.from({ length: n }, (_, i) => a[i * n + i]), vectors: v };
}

function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q];
  if (Math.abs(apq) < 1e-300) return;
  const theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < n; k++) {
    const [x, y] = [a[k * n + p], a[k * n + q]];
    a[k * n + p] = c * x - s * y;
    a[k * n + q] = s * x + c * y;
  }
  for (let k = 0; k < n; k++) {
    const [x, y] = [a[p * n + k], a[q * n + k]];
    a[p * n + k] = c * x - s * y;
    a[q * n + k] = s * x + c * y;
    const [u, w] = [v[k * n + p], v[k * n + q]];
    v[k * n + p] = c * u - s * w;
    v[k * n + q] = s * u + c * w;
  }
}
