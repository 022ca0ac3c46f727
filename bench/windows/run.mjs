/**
 * Windows a second, ours beside the peers: each contender in a process of its own, turn by turn, medians and ratios.
 *
 *   npm run bench:windows -- [--python PYTHON] [--frames 4000] [--rounds 5] [--peers numpy,torch,grain,litdata] [--json]
 *
 * PYTHON has the packages of requirements.txt. All must have seen the same windows: sums are compared.
 */
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { makeData } from './data.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const run = promisify(execFile);
const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: join(here, '../.venv/bin/python') },
    frames: { type: 'string', default: '4000' },
    rounds: { type: 'string', default: '5' },
    peers: { type: 'string', default: 'numpy,torch,grain,litdata' },
    json: { type: 'boolean', default: false },
  },
});
const folder = join(tmpdir(), `stormreel-bench-windows-${options.frames}`);
await makeData(folder, { frames: Number(options.frames), size: 64 });

const ours = (extra, order) => [
  process.execPath,
  [join(here, 'ours.mjs'), '--data', join(folder, 'dataset'), '--order', order, ...extra],
];
const contenders = {
  'stormreel, calling thread': (order) => ours([], order),
  'stormreel, 1 reader thread': (order) => ours(['--threads', '1'], order),
  'stormreel, lent rows': (order) => ours(['--lend'], order),
  ...Object.fromEntries(
    options.peers
      .split(',')
      .filter(Boolean)
      .map((peer) => [peer, (order) => [options.python, [join(here, 'peers.py'), peer, folder, order]]]),
  ),
};

const rows = [];
for (const order of ['in order', 'shuffled']) {
  const rates = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  const sums = new Set();
  for (let round = 0; round < Number(options.rounds); round++)
    for (const [name, command] of Object.entries(contenders)) {
      const { stdout } = await run(...command(order), { maxBuffer: 1 << 24 });
      const { windowsPerSecond, sum } = JSON.parse(stdout.trim().split('\n').at(-1));
      rates[name].push(windowsPerSecond);
      sums.add(Math.round(sum));
    }
  if (sums.size !== 1) throw new Error(`the contenders saw different windows: sums ${[...sums].join(', ')}`);
  const base = median(rates['stormreel, calling thread']);
  for (const [name, found] of Object.entries(rates))
    rows.push({ order, name, windowsPerSecond: Math.round(median(found)), ratio: base / median(found) });
}
if (options.json)
  console.log(JSON.stringify({ frames: Number(options.frames), rounds: Number(options.rounds), rows }));
else
  for (const { order, name, windowsPerSecond, ratio } of rows)
    console.log(
      `${order.padEnd(9)} ${name.padEnd(28)} ${String(windowsPerSecond).padStart(7)} windows/s   ours / it ${ratio.toFixed(2)}`,
    );

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
