import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as stormreel from '../index.js';

const here = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

/** Types of `export { type X }` in the public index files; those of the schemas go with their values. */
const types = ['../index.ts', '../pipeline/index.ts'].flatMap((file) =>
  [...here(file).matchAll(/export (type )?\{([^}]*)\}/g)].flatMap(([, all, names]) =>
    names
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name && (all || name.startsWith('type ')))
      .map((name) => `type ${name.replace(/^type /, '')}`),
  ),
);

describe('the public API', () => {
  it('is what test/api.txt lists; a change to it is written there and in the changelog', () => {
    const listed = here('api.txt').trim().split('\n');
    expect([...Object.keys(stormreel).sort(), ...types.sort()]).toEqual(listed);
  });

  it('gives namespaces for layers, tensors and metrics', () => {
    expect(Object.keys(stormreel.nn)).toEqual(expect.arrayContaining(['conv2d', 'gru', 'linear']));
    expect(Object.keys(stormreel.tensor)).toEqual(expect.arrayContaining(['matMul', 'adamW', 'tidy']));
    expect(Object.keys(stormreel.metrics)).toEqual(expect.arrayContaining(['auroc', 'averagePrecision']));
  });
});
