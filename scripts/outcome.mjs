/** What `npm test` says at its end, from vitest's own JSON report. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const answers = (program, flag) => spawnSync(program, [flag], { stdio: 'ignore' }).error === undefined;

/** What a test may need and not find, with the line that gets it. */
const NEEDS = [
  {
    name: 'redis-server',
    there: () => answers('redis-server', '--version'),
    get: 'apt-get install redis-server',
  },
  { name: 'chromium', there: () => existsSync('/usr/bin/chromium'), get: 'apt-get install chromium' },
  { name: 'gdalinfo', there: () => answers('gdalinfo', '--version'), get: 'apt-get install gdal-bin' },
  {
    name: 'docker-compose',
    there: () => answers('docker-compose', '--version'),
    get: 'apt-get install docker-compose',
  },
  { name: 'native TensorFlow', there: nativeThere, get: 'npx stormreel backend install   (Linux x64)' },
  {
    name: 'reference numbers and data',
    there: () => ['fixtures', 'data'].every((name) => existsSync(join(root, '../shared', name))),
    get: 'put shared/fixtures and shared/data beside this checkout; they are no part of the repository',
  },
];

async function nativeThere() {
  const { installedAddon } = await import('../dist/pipeline/tensor/install/location.js');
  return installedAddon() !== null;
}

/** One line for each thing that is missing here: `missing: redis-server (apt-get install redis-server)`. */
export async function missing(needs = NEEDS) {
  const found = await Promise.all(
    needs.map(async ({ there }) => {
      try {
        return await there();
      } catch {
        return false;
      }
    }),
  );
  return needs.filter((_, i) => !found[i]).map(({ name, get }) => `missing: ${name} (${get})`);
}

/**
 * Last lines and exit code. `path`: vitest's JSON report, absent where vitest crashed; `ran`: it ended with exit code 0;
 * `checks`: whether lint, types and so on passed; `strict`: a skipped test is a failure.
 */
export function outcomeOf(path, { ran, checks, strict }) {
  const summary = readSummary(path);
  const failedChecks = checks.filter((ok) => !ok).length;
  // A crash, a file that does not load or an error between tests fails no single test.
  const crash = ran || summary.failed > 0 ? 0 : 1;
  const failed = summary.failed + failedChecks + crash;
  const { skipped } = summary;
  const isStrict = strict && skipped.length > 0;
  return {
    lines: [
      ...summary.faults,
      ...skipped.map((name) => `skipped: ${name}`),
      ...(isStrict ? ['a skipped test is a failure here (STORMREEL_FAIL_ON_SKIP=1)'] : []),
    ],
    skipped: skipped.length,
    last: `tests: ${summary.passed + checks.length - failedChecks} passed, ${failed} failed${skipped.length ? `, ${skipped.length} skipped` : ''}`,
    code: failed > 0 || isStrict ? 1 : 0,
  };
}

function readSummary(path) {
  try {
    const { testResults, numPassedTests, numFailedTests } = JSON.parse(readFileSync(path, 'utf8'));
    const all = testResults.flatMap((file) => file.assertionResults);
    const isSkipped = ({ status }) => status === 'pending' || status === 'skipped' || status === 'todo';
    return {
      passed: numPassedTests,
      failed: numFailedTests,
      skipped: all.filter(isSkipped).map(({ fullName }) => fullName),
      faults: [],
    };
  } catch (error) {
    return {
      passed: 0,
      failed: 1,
      skipped: [],
      faults: [`vitest left no report of its tests: ${error.message}`],
    };
  }
}
