/**
 * How long a run takes from the start of its process to its first batch at a window far into an epoch, without a model:
 * window 10^6 of a dataset of so many frames on disk, and window 10^8 of an index that is computed when asked.
 *
 *   npm run bench:resume -- [--frames 1000064] [--rounds 5] [--json]
 */
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeData } from './data.mjs';

const { values: options } = parseArgs({
  options: {
    frames: { type: 'string', default: '1000064' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const TARGET_MS = 2000;
const SYNTHETIC = 100_000_064;
const frames = Number(options.frames);
const folder = join(tmpdir(), `stormreel-bench-resume-${frames}`);
await makeData(folder, { frames, size: 2, raw: false, shardFrames: 4096 });

const child = fileURLToPath(new URL('resumeOnce.mjs', import.meta.url));
const cases = [
  { name: 'on disk, in order', args: ['--data', join(folder, 'dataset')] },
  { name: 'on disk, shuffled', args: ['--data', join(folder, 'dataset'), '--shuffled'] },
  { name: 'on disk, gaps: mask', args: ['--data', join(folder, 'dataset'), '--gaps', 'mask'] },
  { name: 'computed, shuffled', args: ['--frames', String(SYNTHETIC), '--shuffled'] },
  { name: 'computed, gaps: mask', args: ['--frames', String(SYNTHETIC), '--gaps', 'mask'] },
];
const runs = cases.map(() => []);
for (let round = 0; round < Number(options.rounds); round++)
  cases.forEach(({ args }, c) => {
    const began = Date.now();
    const last = JSON.parse(execFileSync(process.execPath, [child, ...args, '--began', String(began)]));
    runs[c].push(last);
  });
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const table = cases.map(({ name }, c) => ({
  case: name,
  window: runs[c][0].window,
  ms: Math.round(median(runs[c].map(({ ms }) => ms))),
  mostMs: Math.round(Math.max(...runs[c].map(({ ms }) => ms))),
  indexMs: Math.round(median(runs[c].map(({ indexMs }) => indexMs))),
  cpuMs: Math.round(median(runs[c].map(({ cpuMs }) => cpuMs))),
  residentMiB: Math.max(...runs[c].map(({ residentMiB }) => residentMiB)),
  targetMs: TARGET_MS,
}));
if (options.json) console.log(JSON.stringify(table));
else console.table(table);
