/** Weights and maps by the formula of scripts/golden/densenet121.py: the finaliser of MurmurHash3 over position and leaf. */

/** Numbers in [-1, 1). */
function uniform(leaf: number, i: number): number {
  let h = (Math.imul(i, 0x9e3779b1) + Math.imul(leaf, 0x85ebca77) + 0x1234567) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1;
}

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The input `[1, size, size, 3]`. */
export const hashedMap = (edge: number): Float32Array =>
  Float32Array.from({ length: edge * edge * 3 }, (_, i) => uniform(9999, i));

/** Values of leaf number `leaf` in Keras' order; the kind is the last part of its name, ours or Keras'. */
export function hashedLeaf(leaf: number, name: string, shape: readonly number[]): Float32Array {
  const kind = name.split('/').at(-1)!.toLowerCase().replace('_', '');
  const values = new Float32Array(size(shape));
  const he = Math.sqrt(6 / size(shape.slice(0, -1)));
  for (let i = 0; i < values.length; i++) {
    const u = uniform(leaf, i);
    if (kind === 'kernel') values[i] = u * he;
    else if (kind === 'gamma') values[i] = 1 + u / 4;
    else if (kind === 'movingvariance') values[i] = 1 + u / 2;
    else values[i] = u / 4;
  }
  return values;
}
