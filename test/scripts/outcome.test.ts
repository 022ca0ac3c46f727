import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
// @ts-expect-error: a script without types
import { missing, outcomeOf } from '../../scripts/outcome.mjs';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stormreel-outcome-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const GOOD = { ran: true, checks: [true, true], strict: false };
/** A report of vitest with these counts. */
function report(passed: number, failed: number, skipped: string[] = []): string {
  const path = join(folder, 'report.json');
  const assertionResults = [
    ...skipped.map((fullName) => ({ fullName, status: 'skipped' })),
    { fullName: 'one', status: 'passed' },
  ];
  writeFileSync(
    path,
    JSON.stringify({
      testResults: [{ assertionResults }],
      numPassedTests: passed,
      numFailedTests: failed,
    }),
  );
  return path;
}

describe('the last line of npm test', () => {
  it('counts tests and checks', () => {
    expect(outcomeOf(report(7, 0), GOOD)).toMatchObject({ last: 'tests: 9 passed, 0 failed', code: 0 });
    expect(outcomeOf(report(7, 2), { ...GOOD, ran: false, checks: [true, false] })).toMatchObject({
      last: 'tests: 8 passed, 3 failed',
      code: 1,
    });
  });

  it('counts a crash as a failure: no report, half a report, or a bad exit code without a failed test', () => {
    for (const path of [join(folder, 'nothing.json'), join(folder, 'half.json')]) {
      if (path.endsWith('half.json')) writeFileSync(path, '{"testResults": [');
      const { last, code, lines } = outcomeOf(path, { ...GOOD, ran: false });
      expect([last, code]).toEqual(['tests: 2 passed, 1 failed', 1]);
      expect(lines.join()).toContain('vitest left no report');
    }
    expect(outcomeOf(report(7, 0), { ...GOOD, ran: false })).toMatchObject({
      last: 'tests: 9 passed, 1 failed',
      code: 1,
    });
  });

  it('tells skipped tests, which fail where none may be skipped', () => {
    const path = report(7, 0, ['ingest through Redis works']);
    const loose = outcomeOf(path, GOOD);
    expect(loose).toMatchObject({ last: 'tests: 9 passed, 0 failed, 1 skipped', code: 0 });
    expect(loose.lines).toContain('skipped: ingest through Redis works');
    expect(outcomeOf(path, { ...GOOD, strict: true }).code).toBe(1);
  });

  it('stands there even where set-up fails', () => {
    mkdirSync(join(folder, 'scripts'));
    for (const name of ['test.mjs', 'outcome.mjs'])
      cpSync(join(import.meta.dirname, '../../scripts', name), join(folder, 'scripts', name));
    writeFileSync(join(folder, 'scripts/setup.mjs'), 'process.exit(1);\n');
    const { stdout, status } = spawnSync(process.execPath, ['scripts/test.mjs'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('tests: 0 passed, 1 failed');
    expect(status).toBe(1);
  });
});

describe('what is missing', () => {
  it('is told in one line each, with the command that gets it', async () => {
    const needs = [
      { name: 'a', there: () => true, get: 'get a' },
      { name: 'b', there: async () => false, get: 'apt-get install b' },
      {
        name: 'c',
        there: () => {
          throw new Error('no');
        },
        get: 'get c',
      },
    ];
    expect(await missing(needs)).toEqual(['missing: b (apt-get install b)', 'missing: c (get c)']);
  });
});

describe('set-up', () => {
  const SETUP = join(import.meta.dirname, '../../scripts/setup.mjs');
  /** A checkout with this lockfile and these installed packages, whose npm only says that it was called. */
  function checkout(wanted: object, installed: object | null) {
    const bin = join(folder, 'bin');
    for (const name of ['scripts', 'node_modules', 'bin']) mkdirSync(join(folder, name));
    cpSync(SETUP, join(folder, 'scripts/setup.mjs'));
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...wanted } }));
    if (installed)
      writeFileSync(join(folder, 'node_modules/.package-lock.json'), JSON.stringify({ packages: installed }));
    writeFileSync(join(bin, 'npm'), '#!/bin/sh\necho "npm $*"\nexit 3\n', { mode: 0o755 });
    symlinkSync(process.execPath, join(bin, 'node'));
    const { stdout, stderr } = spawnSync(process.execPath, ['scripts/setup.mjs'], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${bin}:/bin:/usr/bin` },
    });
    return { installs: stdout.includes('npm ci'), stderr };
  }
  const zod = (version: string) => ({ 'node_modules/zod': { version } });
  const rare = { 'node_modules/rare': { version: '1.0.0', optional: true } };

  it.each([
    ['installs into an empty checkout', zod('4.0.0'), null, true],
    ['installs over packages of an older lockfile, however new they are', zod('4.0.0'), zod('3.0.0'), true],
    [
      'installs a package that is new',
      { ...zod('4.0.0'), 'node_modules/x': { version: '1.0.0' } },
      zod('4.0.0'),
      true,
    ],
    ['leaves packages that fit', zod('4.0.0'), zod('4.0.0'), false],
    ['does not miss optional packages of other platforms', { ...zod('4.0.0'), ...rare }, zod('4.0.0'), false],
  ])('%s', (_, wanted, installed, expected) => {
    const { installs, stderr } = checkout(wanted, installed);
    expect(installs).toBe(expected);
    if (installs) expect(stderr).toContain('npm ci failed');
  });
});
