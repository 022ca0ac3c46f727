import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
// @ts-expect-error: a script without types
import { checkImports } from '../../scripts/check-imports.mjs';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'stormreel-imports-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function faults(files: Record<string, string>): string[] {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return checkImports(root);
}

describe('the import check', () => {
  it('passes folders that import from folders above them through their index', () => {
    expect(
      faults({
        'pipeline/errors.ts': 'export class A {}\n',
        'pipeline/raster/index.ts': "export { a } from './a.js';\n",
        'pipeline/raster/a.ts': "import { A } from '../errors.js';\nexport const a = A;\n",
        'pipeline/shards/b.ts': "import { a } from '../raster/index.js';\n",
        'index.ts': "export * from './pipeline/shards/index.js'; // from './cli/x.js'\n",
      }),
    ).toEqual([]);
  });

  it.each([
    ['an import from a folder below', 'pipeline/raster/a.ts', "import { x } from '../shards/index.js';"],
    ['a type from a folder below', 'schemas/a.ts', "import type { X } from '../workers/index.js';"],
    ['a dynamic import from a folder below', 'workers/a.ts', "await import('../cli/main.js');"],
    ['an export from a folder below', 'pipeline/errors.ts', "export * from './raster/index.js';"],
    ['an import past the index of a folder', 'cli/a.ts', "import { x } from '../pipeline/raster/scan.js';"],
    ['an import from outside the product', 'cli/a.ts', "import { x } from '../test/x.js';"],
    ['TensorFlow.js outside its folder', 'pipeline/nn/a.ts', "import '@tensorflow/tfjs-core';"],
    ['a folder that is not in the order', 'pipeline/utils/a.ts', 'export {};'],
    ['a loose file that is not in the order', 'pipeline/helpers.ts', 'export {};'],
    ['a file of 401 lines', 'test/a.test.ts', `${'\n'.repeat(400)}export {};\n`],
  ])('catches %s', (_, file, text) => {
    expect(faults({ [file]: text })).toEqual([expect.stringContaining(file)]);
  });

  it('catches a circle of files, but lets types refer to one another', () => {
    const circle = {
      'workers/a.ts': "import { b } from './b.js';\n",
      'workers/b.ts': "import { c } from './c.js';\n",
      'workers/c.ts': "export { a } from './a.js';\n",
    };
    expect(faults(circle)).toEqual(['circle: workers/a.ts -> workers/b.ts -> workers/c.ts -> workers/a.ts']);
    expect(faults({ 'workers/c.ts': "import type { A } from './a.js';\n" })).toEqual([]);
  });

  it('accepts a long file with its reason', () => {
    expect(faults({ 'bench/a.ts': `/** @long because it is a table */${'\n'.repeat(500)}` })).toEqual([]);
  });

  it('catches a package that is there only because another one brought it along', () => {
    const manifest = JSON.stringify({
      dependencies: { zod: '1' },
      optionalDependencies: { '@tensorflow/tfjs-node-gpu': '1' },
    });
    const uses = (line: string) =>
      faults({ 'package.json': manifest, 'pipeline/tensor/index.ts': `${line}\n` });
    expect(uses("import * as z from 'zod/v4';")).toEqual([]);
    expect(uses("load('@tensorflow/tfjs-node-gpu/dist/x');")).toEqual([]);
    expect(uses("import type { Feature } from 'geojson';")).toEqual([]);
    const told = 'pipeline/tensor/index.ts: uses @tensorflow/tfjs, which package.json does not name';
    expect(uses("load('@tensorflow/tfjs');")).toEqual([expect.stringContaining(told)]);
  });

  it('finds nothing in the product', () => {
    expect(checkImports(join(import.meta.dirname, '../..'))).toEqual([]);
  });
});
