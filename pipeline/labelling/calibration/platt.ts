/** Platt scaling and temperature by Newton's method on the log loss, with Platt's smoothed targets (Platt 1999). */

const STEPS = 100;
const TOLERANCE = 1e-12;

/** a and b of sigmoid(a z + b); `leastSlope` bounds a from below, b is then fitted for that a. */
export function fitPlatt(
  z: Float64Array,
  y: Uint8Array,
  leastSlope = Number.NEGATIVE_INFINITY,
): { a: number; b: number } {
  const target = smoothTargets(y);
  const free = newton(z, target, { a: 1, b: 0 }, { slope: true, offset: true });
  if (free.a >= leastSlope) return free;
  return newton(z, target, { a: leastSlope, b: 0 }, { slope: false, offset: true });
}

/** a of sigmoid(a z): one over the temperature (Guo et al. 2017). */
export function fitTemperature(z: Float64Array, y: Uint8Array, leastSlope: number): number {
  const { a } = newton(z, smoothTargets(y), { a: 1, b: 0 }, { slope: true, offset: false });
  return Math.max(a, leastSlope);
}

function smoothTargets(y: Uint8Array): Float64Array {
  const positives = y.reduce((n, v) => n + v, 0);
  const [one, zero] = [(positives + 1) / (positives + 2), 1 / (y.length - positives + 2)];
  return Float64Array.from(y, (v) => (v ? one : zero));
}

/** Minimises the convex loss over the free parameters; a step that does not lower it is halved. */
function newton(
  z: Float64Array,
  target: Float64Array,
  start: { a: number; b: number },
  free: { slope: boolean; offset: boolean },
): { a: number; b: number } {
  let { a, b } = start;
  let loss = lossOf(z, target, a, b);
  for (let step = 0; step < STEPS; step++) {
    const { ga, gb, haa, hab, hbb } = derivatives(z, target, a, b);
    const [da, db] = solve(
      free.slope ? ga : 0,
      free.offset ? gb : 0,
      free.slope ? haa : 1,
      free.slope && free.offset ? hab : 0,
      free.offset ? hbb : 1,
    );
    let size = 1;
    let next = lossOf(z, target, a - da, b - db);
    while (!(next <= loss) && size > 1e-8) {
      size /= 2;
      next = lossOf(z, target, a - size * da, b - size * db);
    }
    if (!(next <= loss)) break;
    [a, b, loss] = [a - size * da, b - size * db, next];
    if (Math.abs(da) + Math.abs(db) < TOLERANCE) break;
  }
  return { a, b };
}

function derivatives(z: Float64Array, target: Float64Array, a: number, b: number) {
  let [ga, gb, haa, hab, hbb] = [0, 0, 1e-12, 0, 1e-12];
  for (let i = 0; i < z.length; i++) {
    const p = 1 / (1 + Math.exp(-(a * z[i] + b)));
    const [error, weight] = [p - target[i], p * (1 - p)];
    ga += error * z[i];
    gb += error;
    haa += weight * z[i] * z[i];
    hab += weight * z[i];
    hbb += weight;
  }
  return { ga, gb, haa, hab, hbb };
}

function lossOf(z: Float64Array, target: Float64Array, a: number, b: number): number {
  let loss = 0;
  for (let i = 0; i < z.length; i++) {
    const logit = a * z[i] + b;
    // log(1 + e^x) - t x, without overflow
    loss += Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit))) - target[i] * logit;
  }
  return loss;
}

function solve(ga: number, gb: number, haa: number, hab: number, hbb: number): [number, number] {
  const determinant = haa * hbb - hab * hab;
  if (!(Math.abs(determinant) > 1e-300)) return [ga / haa, gb / hbb];
  return [(hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant];
}
