/** What must be true of every class of bad files, whatever they are. */
import { expect } from 'vitest';
import type { Judged, Verdict } from './judge.js';

/** Processor time of one file: more is taken for a hang. */
const HANG_MS = 10_000;
/** Of any one process: the program itself holds about 350 MiB with its queue inside. */
const MEMORY_BYTES = 2 ** 30;

const REFUSED = /^(BadRaster|GridMismatch|BandMismatch|Time|Config)Error: ./;
/** No reason to stop: such a frame is readable, and bad under either rule. */
const NOTHING_SEEN = /no cell holds a value/;

const named = (verdicts: Verdict[], wrong: (verdict: Verdict) => boolean): string[] =>
  verdicts.filter(wrong).map((v) => `${v.name}: skip ${v.skip}; stop ${v.code} ${v.stop}; ${v.ms} ms`);

export function expectHarmless({ verdicts, ...found }: Judged): void {
  // Listed: refused with a reason; only what may be readable is read.
  expect(named(verdicts, (v) => !(v.skip === 'ok' && v.maybe) && !REFUSED.test(v.skip ?? ''))).toEqual([]);
  expect(
    named(verdicts, (v) => (v.code === 0 ? !v.maybe && !NOTHING_SEEN.test(v.skip ?? '') : v.code !== 2)),
  ).toEqual([]);
  expect(named(verdicts, (v) => v.code === 2 && !REFUSED.test(v.stop))).toEqual([]);
  expect(named(verdicts, (v) => v.ms > HANG_MS)).toEqual([]);
  expect(found.stderr).toBe('');
  expect(found.code).toBe(0);
  expect(found.stopped).toMatch(verdicts.some(({ code }) => code === 2) ? /^2 \w+Error$/ : /^0 /);
  expect(found.harmed).toEqual([]);
  expect(found.poisoned).toEqual([]);
  expect(found.peakBytes).toBeLessThan(MEMORY_BYTES);
  expect(found.ms).toBeLessThan(HANG_MS * (verdicts.length + 1));
}
