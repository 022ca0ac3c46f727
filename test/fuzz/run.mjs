/**
 * Fuzzes every target for a share of the time: `npm run fuzz -- --minutes 10 --seed 1 --target geotiff --json`. A finding
 * prints its target and seed; `--target geotiff --once 123456` tries that one again and prints its stack and input.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { dice } from './mutate.mjs';
import { openTargets } from './targets.mjs';

/** Longest time for one input, ms; and the most that all of them may add to the memory of the process. */
const SLOW_MS = 5_000;
const MEMORY_BYTES = 2 ** 30;

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string' },
    once: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const { targets, close } = await openTargets();
const chosen = Object.entries(targets).filter(([name]) => !flags.target || name === flags.target);

if (flags.once) {
  const [[name, target]] = chosen;
  const input = await target(dice(Number(flags.once)));
  writeFileSync(`fuzz-${name}-${flags.once}.bin`, input);
  console.error(`nothing wrong; the input is in fuzz-${name}-${flags.once}.bin`);
} else {
  const share = (Number(flags.minutes) * 60_000) / chosen.length;
  const results = [];
  for (const [name, target] of chosen) results.push(await fuzz(name, target, share));
  if (flags.json) console.log(JSON.stringify(results));
  else console.table(results.map(({ findings, ...row }) => ({ ...row, findings: findings.length })));
  for (const { target, findings } of results)
    for (const { seed, message } of findings) console.error(`${target} ${seed}: ${message}`);
  process.exitCode = results.some(({ findings }) => findings.length > 0) ? 1 : 0;
}
close();

async function fuzz(name, target, ms) {
  const first = Number(flags.seed) * 1e9;
  const base = process.memoryUsage.rss();
  const findings = [];
  const seen = new Set();
  const [end, began] = [Date.now() + ms, Date.now()];
  let [inputs, slowest] = [0, 0];
  for (; Date.now() < end; inputs++) {
    const seed = first + inputs;
    const start = Date.now();
    const message = await target(dice(seed)).then(
      () => null,
      (error) =>
        `${error?.name}: ${String(error?.message).slice(0, 200)} ${String(error?.stack).split('\n')[1]?.trim()}`,
    );
    const took = Date.now() - start;
    slowest = Math.max(slowest, took);
    const grown = process.memoryUsage.rss() - base;
    const fault =
      message ?? (took > SLOW_MS ? `took ${took} ms` : grown > MEMORY_BYTES ? `${grown} bytes more` : null);
    if (fault === null || seen.has(fault.replace(/\d+/g, '#'))) continue;
    seen.add(fault.replace(/\d+/g, '#'));
    findings.push({ seed, message: fault });
  }
  const megabytes = Math.round((process.memoryUsage.rss() - base) / 2 ** 20);
  return {
    target: name,
    inputs,
    perSecond: Math.round((inputs * 1_000) / (Date.now() - began)),
    slowest,
    megabytes,
    findings,
  };
}
