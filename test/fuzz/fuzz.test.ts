/** A few hundred seeded inputs for each target of `npm run fuzz`, and what longer runs found. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildWhenStale } from '../integration/program.js';

type Target = (roll: (n: number) => number) => Promise<Uint8Array>;

let targets: Record<string, Target> = {};
let close = () => {};
let dice: (seed: number) => (n: number) => number;

beforeAll(async () => {
  buildWhenStale();
  ({ dice } = await import(new URL('./mutate.mjs', import.meta.url).href));
  ({ targets, close } = await (await import(new URL('./targets.mjs', import.meta.url).href)).openTargets());
});
afterAll(() => close());

/** Inputs of each target, about a second each on a quiet machine. */
const INPUTS = { geotiff: 120, classic: 250, labels: 300, times: 1_000, cftime: 2_000, dataset: 15 };

describe('a fuzzed parser gives an answer or a typed error', () => {
  it.each(Object.entries(INPUTS))('%s', async (name, count) => {
    for (let seed = 0; seed < count; seed++)
      await targets[name](dice(seed)).catch((cause) => {
        throw new Error(`${name}, seed ${seed}`, { cause });
      });
  });

  /** Classic NetCDF whose time axis has no entries was passed over without a word. */
  it('also for what longer runs found', async () => {
    for (const [name, seed] of [['classic', 1_000_000_790]] as const)
      expect(await targets[name](dice(seed))).toBeInstanceOf(Uint8Array);
  });
});
