/** Small files of Keras (scripts/golden/keras_files.py), unpacked, and the layout that they were made by. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { KerasLeaf } from '../../pipeline/keras/index.js';

export const folder = mkdtempSync(join(tmpdir(), 'stormreel-keras-test-'));

/** Path of the unpacked file. */
export function unpacked(name: string): string {
  const path = join(folder, name);
  const packed = readFileSync(new URL(`../golden/keras/${name}.gz`, import.meta.url));
  writeFileSync(path, gunzipSync(packed));
  return path;
}

const norm = (name: string, layers: string[]): KerasLeaf[] =>
  (['gamma', 'beta', 'moving_mean', 'moving_variance'] as const).map((weight) => ({
    name: `${name}/${weight}`,
    shape: [4],
    layers,
    weight,
  }));

export const LAYOUT: KerasLeaf[] = [
  { name: 'stem/conv/kernel', shape: [3, 3, 3, 4], layers: ['conv1_conv', 'conv1/conv'], weight: 'kernel' },
  ...norm('stem/norm', ['conv1_bn', 'conv1/bn']),
  { name: 'conv/kernel', shape: [1, 1, 4, 4], layers: ['pool2_conv'], weight: 'kernel' },
  ...norm('norm', ['bn']),
];

/** Values of the leaf at `place` in the layout. */
export function expected(place: number): Float32Array {
  const size = LAYOUT[place].shape.reduce((a, b) => a * b, 1);
  return Float32Array.from({ length: size }, (_, i) => (100 * place + i) / 1000);
}
