/** Gaussian numbers in bulk for input noise: quantiles of the normal at 65,536 equal steps, two from 32 random bits. */

const STEPS = 65536;
let table: Float32Array | undefined;

/** `size` draws with mean 0 and standard deviation 1. */
export function normals(size: number, random: { bits(): number }): Float32Array {
  table ??= Float32Array.from({ length: STEPS }, (_, i) => quantile((i + 0.5) / STEPS));
  const values = new Float32Array(size);
  for (let i = 0; i < size; i += 2) {
    const bits = random.bits();
    values[i] = table[bits & 0xffff];
    if (i + 1 < size) values[i + 1] = table[bits >>> 16];
  }
  return values;
}

/** Inverse of the normal distribution function (Acklam's rational approximation, relative error below 1.2e-9). */
function quantile(p: number): number {
  if (p > 0.5) return -quantile(1 - p);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return polynomial(TAIL_NUMERATOR, q) / polynomial(TAIL_DENOMINATOR, q);
  }
  const q = p - 0.5;
  return (q * polynomial(NUMERATOR, q * q)) / polynomial(DENOMINATOR, q * q);
}

const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduce((sum, c) => sum * x + c, 0);

const NUMERATOR = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
  2.506628277459239,
];
const DENOMINATOR = [
  -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1,
];
const TAIL_NUMERATOR = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
];
const TAIL_DENOMINATOR = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];
