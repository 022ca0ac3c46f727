/** Ridge logistic regression by iteratively reweighted least squares; the intercept is not penalised. */

export interface Logistic {
  /** One a column, then the intercept. */
  weights: Float64Array;
}

/** Minimises the log loss plus ridge / 2 |w|^2. `x [rows, columns]`, row by row. */
export function fitLogistic(
  x: Float64Array,
  y: ArrayLike<number>,
  columns: number,
  { ridge = 1, steps = 50 }: { ridge?: number; steps?: number } = {},
): Logistic {
  const size = columns + 1;
  const weights = new Float64Array(size);
  weights[columns] = startIntercept(y);
  for (let step = 0; step < steps; step++) {
    const { gradient, hessian } = derivatives(x, y, columns, weights, ridge);
    const move = choleskySolve(hessian, gradient, size);
    let largest = 0;
    for (let j = 0; j < size; j++) {
      weights[j] -= move[j];
      largest = Math.max(largest, Math.abs(move[j]));
    }
    if (largest < 1e-9) break;
  }
  return { weights };
}

const RIDGES = [1, 10, 100, 1000];
const BLOCKS = 3;

/** The ridge that does best on held-out thirds (rows lie in the order of time or place), then a fit on all rows. */
export function fitRidge(x: Float64Array, y: Float64Array, columns: number): Logistic {
  const losses = RIDGES.map((ridge) => {
    let loss = 0;
    for (let block = 0; block < BLOCKS; block++) {
      const [from, to] = [block, block + 1].map((b) => Math.floor((b * y.length) / BLOCKS));
      const rest = { x: without(x, from * columns, to * columns), y: without(y, from, to) };
      const model = fitLogistic(rest.x, rest.y, columns, { ridge });
      const scores = logisticScores(model, x.slice(from * columns, to * columns), columns);
      scores.forEach((z, i) => {
        loss += Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - y[from + i] * z;
      });
    }
    return loss;
  });
  return fitLogistic(x, y, columns, { ridge: RIDGES[losses.indexOf(Math.min(...losses))] });
}

function without(values: Float64Array, from: number, to: number): Float64Array {
  const rest = new Float64Array(values.length - (to - from));
  rest.set(values.subarray(0, from));
  rest.set(values.subarray(to), from);
  return rest;
}

/** Log odds of each row. */
export function logisticScores({ weights }: Logistic, x: Float64Array, columns: number): Float64Array {
  return Float64Array.from({ length: x.length / columns }, (_, row) =>
    logit(x, row * columns, columns, weights),
  );
}

function startIntercept(y: ArrayLike<number>): number {
  let positives = 0;
  for (let i = 0; i < y.length; i++) positives += y[i];
  return Math.log((positives + 0.5) / (y.length - positives + 0.5));
}

function derivatives(
  x: Float64Array,
  y: ArrayLike<number>,
  columns: number,
  weights: Float64Array,
  ridge: number,
) {
  const size = columns + 1;
  const gradient = new Float64Array(size);
  const hessian = new Float64Array(size * size);
  const row = new Float64Array(size).fill(1);
  for (let i = 0; i < y.length; i++) {
    row.set(x.subarray(i * columns, (i + 1) * columns));
    const p = 1 / (1 + Math.exp(-logit(x, i * columns, columns, weights)));
    const [error, weight] = [p - y[i], p * (1 - p)];
    for (let j = 0; j < size; j++) {
      gradient[j] += error * row[j];
      for (let k = 0; k <= j; k++) hessian[j * size + k] += weight * row[j] * row[k];
    }
  }
  for (let j = 0; j < columns; j++) {
    gradient[j] += ridge * weights[j];
    hessian[j * size + j] += ridge;
  }
  hessian[size * size - 1] += 1e-9;
  return { gradient, hessian };
}

function logit(x: Float64Array, at: number, columns: number, weights: Float64Array): number {
  let z = weights[columns];
  for (let j = 0; j < columns; j++) z += weights[j] * x[at + j];
  return z;
}

/** Solves A v = b for a positive definite A of which the lower triangle is given. */
export function choleskySolve(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const l = a.slice();
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = l[i * n + j];
      for (let k = 0; k < j; k++) sum -= l[i * n + k] * l[j * n + k];
      l[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 1e-300)) : sum / l[j * n + j];
    }
  }
  const v = b.slice();
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) v[i] -= l[i * n + k] * v[k];
    v[i] /= l[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) v[i] -= l[k * n + i] * v[k];
    v[i] /= l[i * n + i];
  }
  return v;
}
