/** Stored reference numbers of test/golden, made by pinned scripts, as tensors. */
import { readFileSync } from 'node:fs';
import { type ParameterTree, type Tensor, tensor, treeFrom } from '../../pipeline/tensor/index.js';

export interface Packed {
  shape: number[];
  values: number[];
}

export const golden = (name: string) =>
  JSON.parse(readFileSync(new URL(`../golden/${name}.json`, import.meta.url), 'utf8'));

export const unpacked = ({ shape, values }: Packed): Tensor => tensor(values, shape);

export const unpackedTree = (stored: Record<string, Packed>): ParameterTree =>
  treeFrom(Object.entries(stored).map(([name, packed]) => ({ name, tensor: unpacked(packed) })));

/** Largest difference over the largest expected value. */
export function relativeDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY;
  let [worst, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const gap = Math.abs(found[i] - expected[i]);
    if (!(gap <= worst)) worst = gap; // NaN counts as a difference
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  return worst / (largest || 1);
}
