/** Reference numbers shared beside the checkout (float64 NumPy, cross-checked with PyTorch). */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Tensor, tensor } from '../../pipeline/tensor/index.js';

const folder = fileURLToPath(new URL('../../../shared/fixtures/', import.meta.url));
export const hasFixtures = existsSync(folder);

type Nested = number | Nested[];
export const fixture = (name: string): Record<string, Nested> =>
  JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8'));

/** A nested array as a tensor, axes of 1 put in front where the layer wants them. */
export function toTensor(nested: Nested, ...leading: number[]): Tensor {
  const shape: number[] = [];
  for (let at = nested; Array.isArray(at); at = at[0]) shape.push(at.length);
  return tensor(flat(nested), [...leading, ...shape]);
}

export const flat = (nested: Nested): number[] => (Array.isArray(nested) ? nested.flatMap(flat) : [nested]);

/** Largest absolute difference. */
export function difference(found: Tensor | ArrayLike<number>, expected: ArrayLike<number>): number {
  const values = 'dataSync' in found ? (found as Tensor).dataSync() : found;
  if (values.length !== expected.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < values.length; i++) {
    const gap = Math.abs(values[i] - expected[i]);
    if (!(gap <= worst)) worst = gap; // NaN counts as a difference
  }
  return worst;
}
