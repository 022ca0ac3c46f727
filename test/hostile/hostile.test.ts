/** A few bad files of each class, in this process: `npm run hostile` takes all of them through the program itself. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../pipeline/random.js';
import { buildWhenStale } from '../integration/program.js';
import { type HostileClass, SEED } from './corpus/case.js';
import { corpus } from './corpus/index.js';
import { expectHarmless } from './expected.js';
import { judge } from './judge.js';

const CASES = 4;

const folder = mkdtempSync(join(tmpdir(), 'sr-hostile-'));
// Threads and kernels are loaded from dist.
beforeAll(buildWhenStale);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Drawn from the seed, one from each stretch of the list. */
function few({ cases, ...rest }: HostileClass): HostileClass {
  const each = cases.length / CASES;
  const random = Random.from(SEED).key(rest.name);
  const chosen = Array.from({ length: CASES }, (_, i) => Math.floor((i + random.uniform()) * each));
  return { ...rest, cases: chosen.map((i) => cases[i]) };
}

const classes = await corpus();

describe('bad files', () => {
  it.each(classes.map(few))('of class $name are refused or read, and harm nobody', async (one) => {
    expectHarmless(await judge(join(folder, 'x'), one, false));
  });

  it('are more than a thousand, in all formats', () => {
    expect(classes.reduce((n, { cases }) => n + cases.length, 0)).toBeGreaterThan(1_000);
    expect(new Set(classes.map(({ ending }) => ending))).toEqual(
      new Set(['.tif', '.png', '.jpg', '.nc', '.zarr', '.npy', '.json']),
    );
  });
});
