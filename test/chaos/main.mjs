/**
 * Rounds of chaos until enough was killed: `npm run chaos -- --seed 1 --kills 1000`. Two rounds on Redis, one on PGlite, and so on. One
 * line a round on stderr, one JSON summary on stdout; exit code 1 when a promise did not hold. A round alone:
 * `npm run chaos -- --seed 7 --queue redis --rounds 1`. Linux; a full disk needs root (a small tmpfs is mounted).
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { abandon, runRound } from './round.mjs';
import { quietHash, writeSources } from './sources.mjs';

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    /** Ends after the round in which so many were killed. */
    kills: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '1000' },
    /** Ends after the round in which so many minutes passed. */
    minutes: { type: 'string', default: '60' },
    queue: { type: 'string' },
    frames: { type: 'string', default: '3000' },
    /** Longest time in which a round's faults come, and their mean distance. */
    seconds: { type: 'string', default: '60' },
    'every-ms': { type: 'string', default: '1000' },
    'fail-share': { type: 'string', default: '0.05' },
    'delay-ms': { type: 'string', default: '100' },
  },
});
const number = (name) => Number(flags[name]);
const kinds = flags.queue ? [flags.queue] : ['redis', 'redis', 'pglite'];
if (kinds.includes('redis') && spawnSync('redis-server', ['--version']).status !== 0) {
  console.error(
    'chaos: redis-server is missing (apt-get install redis-server), so only --queue pglite can run',
  );
  process.exit(2);
}
const log = (line) => console.error(line);
const folder = mkdtempSync(join(tmpdir(), 'stormreel-chaos-'));
const sources = join(folder, 'maps');
await writeSources(sources, number('frames'));
const hash = await quietHash(sources, join(folder, 'quiet'));
log(`chaos: ${flags.frames} frames, quiet hash ${hash.slice(0, 8)}`);

for (const name of ['SIGINT', 'SIGTERM'])
  process.once(name, async () => {
    await abandon();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    process.exit(130);
  });

const started = Date.now();
const rounds = [];
const total = (name) => rounds.reduce((sum, round) => sum + round[name], 0);
const enough = () =>
  rounds.length >= number('rounds') ||
  total('kills') >= number('kills') ||
  Date.now() - started >= number('minutes') * 60_000;
for (let i = 0; !enough(); i++) {
  const round = await runRound(number('seed') + i, kinds[i % kinds.length], {
    folder,
    sources,
    frames: number('frames'),
    hash,
    seconds: number('seconds'),
    everyMs: number('every-ms'),
    failShare: number('fail-share'),
    delayMs: number('delay-ms'),
    log,
  });
  rounds.push(round);
  const { seed, kind, seconds, kills, problems, planners } = round;
  const verdict = problems.length ? `FAILED\n    ${problems.join('\n    ')}` : 'ok';
  log(
    `  seed ${seed} ${kind}: ${kills} kills in ${seconds} s, planners ${JSON.stringify(planners)}: ${verdict}`,
  );
}
const failed = rounds.filter(({ problems }) => problems.length > 0);
if (failed.length === 0) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });

const faults = {};
for (const round of rounds)
  for (const [name, count] of Object.entries(round.faults)) faults[name] = (faults[name] ?? 0) + count;
const summary = {
  rounds: rounds.length,
  failedSeeds: failed.map(({ seed, kind }) => ({ seed, kind })),
  kills: total('kills'),
  minutes: Number(((Date.now() - started) / 60_000).toFixed(1)),
  frames: number('frames'),
  framesIngested: number('frames') * (rounds.length - failed.length),
  attempts: total('attempts'),
  injected: total('injected'),
  faults,
  missed: total('missed'),
};
console.log(JSON.stringify({ ...summary, each: rounds }, null, 2));
process.exit(failed.length ? 1 : 0);
