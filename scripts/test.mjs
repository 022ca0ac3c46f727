/**
 * `npm test`: set-up, lint, types, imports, schemas, then every test; ends with `tests: N passed, N failed`, whatever
 * happens before. With STORMREEL_FAIL_ON_SKIP=1 (CI) a skipped test is a failure. Node built-ins only.
 *
 *   npm test                       npm test -- test/raster      the tests of one folder
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missing, outcomeOf } from './outcome.mjs';

const run = (command, args) => spawnSync(command, args, { stdio: 'inherit' }).status === 0;
const bin = (name) => join('node_modules', '.bin', name);

if (!run(process.execPath, ['scripts/setup.mjs'])) {
  console.log('set-up: FAILED\ntests: 0 passed, 1 failed');
  process.exit(1);
}

const checks = [
  ['lint', bin('biome'), ['check', '.']],
  ['types', bin('tsc'), ['-p', 'tsconfig.json', '--noEmit']],
  ['imports', process.execPath, ['scripts/check-imports.mjs']],
  ['schemas', process.execPath, ['scripts/export-schemas.mjs', '--check']],
].map(([name, command, args]) => {
  const ok = run(command, args);
  console.log(`${name}: ${ok ? 'passed' : 'FAILED'}`);
  return ok;
});

const folder = mkdtempSync(join(tmpdir(), 'stormreel-test-'));
const report = join(folder, 'outcome.json');
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
const ran = run(bin('vitest'), ['run', ...reporters, ...process.argv.slice(2)]);
const strict = process.env.STORMREEL_FAIL_ON_SKIP === '1';
const { lines, skipped, last, code } = outcomeOf(report, { ran, checks, strict });
rmSync(folder, { recursive: true, force: true });
for (const line of lines) console.log(line);
if (skipped) for (const line of await missing()) console.log(line);
console.log(last);
process.exitCode = code;
