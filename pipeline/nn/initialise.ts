/** Start values of weights, drawn from our own generator so that every backend starts from the same numbers. */
import type { Random } from '../random.js';
import { type Tensor, tensor } from '../tensor/index.js';

/** Uniform on +-sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio 2010; the Keras default). */
export function glorotUniform(shape: readonly number[], random: Random): Tensor {
  const { fanIn, fanOut } = fans(shape);
  return uniform(shape, Math.sqrt(6 / (fanIn + fanOut)), random);
}

/** Uniform on +-sqrt(6 / fanIn) (He et al. 2015), for layers in front of a relu. */
export function heUniform(shape: readonly number[], random: Random): Tensor {
  return uniform(shape, Math.sqrt(6 / fans(shape).fanIn), random);
}

/** Square blocks `[units, k * units]` with orthonormal columns each (Saxe et al. 2014), for recurrent kernels. */
export function orthogonal(units: number, blocks: number, random: Random): Tensor {
  const values = new Float32Array(units * units * blocks);
  for (let b = 0; b < blocks; b++) {
    const q = orthonormal(units, random);
    for (let i = 0; i < units; i++)
      for (let j = 0; j < units; j++) values[i * units * blocks + b * units + j] = q[j][i];
  }
  return tensor(values, [units, units * blocks]);
}

function uniform(shape: readonly number[], limit: number, random: Random): Tensor {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < values.length; i++) values[i] = (2 * random.uniform() - 1) * limit;
  return tensor(values, [...shape]);
}

/** Kernels are `[...space, in, out]`: the space counts for both fans. */
function fans(shape: readonly number[]): { fanIn: number; fanOut: number } {
  const space = shape.slice(0, -2).reduce((a, b) => a * b, 1);
  return { fanIn: space * (shape.at(-2) ?? 1), fanOut: space * shape[shape.length - 1] };
}

/** Rows of a random orthonormal basis (modified Gram-Schmidt on Gaussian vectors). */
function orthonormal(n: number, random: Random): Float64Array[] {
  const rows: Float64Array[] = [];
  while (rows.length < n) {
    const row = Float64Array.from({ length: n }, () => random.normal());
    for (const other of rows) {
      const dot = row.reduce((sum, v, i) => sum + v * other[i], 0);
      for (let i = 0; i < n; i++) row[i] -= dot * other[i];
    }
    const norm = Math.hypot(...row);
    if (norm > 1e-6) rows.push(row.map((v) => v / norm));
  }
  return rows;
}
