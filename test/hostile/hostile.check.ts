/**
 * Bad files through the whole of `stormreel ingest`: listed with a typed reason under skip, refused with exit code 2 under
 * stop, their neighbours untouched, no crash, no hang, no memory without end. `npm run hostile` takes all of them and
 * prints a table; without STORMREEL_HOSTILE=all only a few of some classes.
 */
import { mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildWhenStale } from '../integration/program.js';
import type { HostileClass } from './corpus/case.js';
import { corpus } from './corpus/index.js';
import { type Judged, judge, type Verdict } from './judge.js';

const ALL = process.env.STORMREEL_HOSTILE === 'all';
/** On a quiet machine 10 s; a busy one makes everything slow, which is no hang. */
const HANG_MS = ALL ? 10_000 : 60_000;
/** Of any one process: the program itself holds about 350 MiB with its queue inside. */
const MEMORY_BYTES = 2 ** 30;
/** Without `all`: how many cases of which classes. */
const FEW: Record<string, number> = { 'No files': 5, 'GeoTIFF strips': 3, 'NetCDF-4': 4 };

const folder = mkdtempSync(join(tmpdir(), 'sr-hostile-'));
let begun = false;
beforeAll(buildWhenStale);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const few = ({ cases, ...rest }: HostileClass): HostileClass => {
  const wanted = FEW[rest.name];
  return { ...rest, cases: cases.filter((_, i) => i % Math.ceil(cases.length / wanted) === 0) };
};
const classes = (await corpus()).filter(({ name }) => ALL || FEW[name]).map((one) => (ALL ? one : few(one)));

const REFUSED = /^(BadRaster|GridMismatch|BandMismatch|Time|Config)Error: ./;
/** No reason to stop: such a frame is readable, and bad under either rule. */
const NOTHING_SEEN = /no cell holds a value/;
const named = (verdicts: Verdict[], wrong: (verdict: Verdict) => boolean): string[] =>
  verdicts.filter(wrong).map((v) => `${v.name}: skip ${v.skip}; stop ${v.code} ${v.stop}; ${v.ms} ms`);

describe.each(classes)('$name', (one) => {
  it('is refused or read, and harms nobody', { timeout: 1_800_000 }, async () => {
    const found = await judge(join(folder, 'x'), one);
    if (ALL) writeSync(2, table(found, { head: !begun }));
    begun = true;
    const { verdicts } = found;
    expect(found.stderr).toBe('');
    expect(found.code).toBe(0);
    expect(found.stopped).toMatch(/^2 \w+Error$/);
    expect(found.harmed).toEqual([]);
    expect(found.poisoned).toEqual([]);
    expect(found.peakBytes).toBeLessThan(MEMORY_BYTES);
    expect(found.ms).toBeLessThan(HANG_MS * (verdicts.length + 1));
    // Listed: refused with a reason; only what may be readable is read.
    expect(named(verdicts, (v) => !(v.skip === 'ok' && v.maybe) && !REFUSED.test(v.skip ?? ''))).toEqual([]);
    expect(
      named(verdicts, (v) => (v.code === 0 ? !v.maybe && !NOTHING_SEEN.test(v.skip ?? '') : v.code !== 2)),
    ).toEqual([]);
    expect(named(verdicts, (v) => v.code === 2 && !REFUSED.test(v.stop ?? ''))).toEqual([]);
    expect(named(verdicts, (v) => v.ms > HANG_MS)).toEqual([]);
  });
});

/** One row, printed when its class is done. */
function table(
  { name, verdicts, peakBytes, ms, harmed, retyped }: Judged,
  { head }: { head: boolean },
): string {
  const row = (cells: (string | number)[]) =>
    `| ${cells.map((cell, i) => (i ? String(cell).padStart(9) : String(cell).padEnd(36))).join(' | ')} |\n`;
  const names = ['class', 'files', 'refused', 'harmed', 'retyped', 'peak MiB', 'skip s', 'worst ms'];
  const top = head ? `\n${row(names)}${row(names.map(() => '---'))}` : '';
  const refused = verdicts.filter(({ skip }) => skip !== 'ok').length;
  const worst = Math.max(...verdicts.map((v) => v.ms));
  const figures = [
    harmed.length,
    retyped ? 'yes' : 'no',
    Math.round(peakBytes / 2 ** 20),
    (ms / 1_000).toFixed(1),
  ];
  return `${top}${row([name, verdicts.length, refused, ...figures, worst])}`;
}
