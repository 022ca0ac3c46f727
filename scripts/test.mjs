/**
 * `npm test` after set-up: lint, types, imports, schemas, then every test; ends with `tests: N passed, N failed`.
 * With STORMREEL_FAIL_ON_SKIP=1 (CI) a skipped test is a failure.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'stormreel-test-'));
const outcome = join(folder, 'outcome.json');
const run = (command, args) => spawnSync(command, args, { stdio: 'inherit' }).status === 0;
const bin = (name) => join('node_modules', '.bin', name);

const checks = [
  ['lint', bin('biome'), ['check', '.']],
  ['types', bin('tsc'), ['-p', 'tsconfig.json', '--noEmit']],
  ['imports', process.execPath, ['scripts/check-imports.mjs']],
  ['schemas', process.execPath, ['scripts/export-schemas.mjs', '--check']],
];
const failedChecks = checks.filter(([name, command, args]) => {
  const ok = run(command, args);
  console.log(`${name}: ${ok ? 'passed' : 'FAILED'}`);
  return !ok;
});
const paths = process.argv.slice(2);
const ran = run(bin('vitest'), [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${outcome}`,
  ...paths,
]);

const summary = readSummary();
rmSync(folder, { recursive: true, force: true });
const failed = summary.failed + failedChecks.length + (ran || summary.failed ? 0 : 1);
const skippedText = summary.skipped.length ? `, ${summary.skipped.length} skipped` : '';
for (const name of summary.skipped) console.log(`skipped: ${name}`);
const strict = process.env.STORMREEL_FAIL_ON_SKIP === '1' && summary.skipped.length > 0;
if (strict) console.log('a skipped test is a failure here (STORMREEL_FAIL_ON_SKIP=1)');
console.log(
  `tests: ${summary.passed + checks.length - failedChecks.length} passed, ${failed} failed${skippedText}`,
);
process.exit(failed > 0 || strict ? 1 : 0);

function readSummary() {
  try {
    const report = JSON.parse(readFileSync(outcome, 'utf8'));
    const all = report.testResults.flatMap((file) => file.assertionResults);
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests,
      skipped: all.filter((t) => t.status === 'pending' || t.status === 'skipped').map((t) => t.fullName),
    };
  } catch (error) {
    console.error(`no test outcome was written: ${error.message}`);
    return { passed: 0, failed: 1, skipped: [] };
  }
}
