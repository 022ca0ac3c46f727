/**
 * Windows a second, ours beside the peers: each contender in a process of its own, turn by turn; medians and ratios.
 *
 *   npm run bench:windows -- [--python PYTHON] [--python-mosaic PYTHON] [--frames 4000] [--batch 8] [--rounds 3] [--seconds 2]
 *     [--peers numpy,torch] [--json]
 *
 * PYTHON has the packages of requirements.txt, the other those of requirements-mosaic.txt (they need different versions of
 * NumPy). Libraries run in the first round only. All must have seen the same windows: sums are compared.
 */
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { makeData } from './data.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const run = promisify(execFile);
const HAND_WRITTEN = ['numpy', 'numpy-straight', 'ring'];
const LIBRARIES = ['litdata', 'mosaic', 'grain', 'tfdata', 'torch'];
const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: join(here, '../.venv/bin/python') },
    'python-mosaic': { type: 'string', default: join(here, '../.venv-mosaic/bin/python') },
    frames: { type: 'string', default: '4000' },
    batch: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    peers: { type: 'string', default: [...HAND_WRITTEN, ...LIBRARIES].join(',') },
    json: { type: 'boolean', default: false },
  },
});
const { batch, seconds } = options;
const folder = join(tmpdir(), `stormreel-bench-windows-${options.frames}`);
await makeData(folder, { frames: Number(options.frames), size: 64 });

const BASE = 'stormreel, calling thread';
const ours = (threads) => (order) => [
  process.execPath,
  [join(here, 'ours.mjs'), '--data', join(folder, 'dataset'), '--order', order].concat([
    '--threads',
    threads,
    '--seconds',
    seconds,
    '--batch',
    batch,
  ]),
];
const peer = (name) => (order, prepare) => [
  name === 'mosaic' ? options['python-mosaic'] : options.python,
  [join(here, 'peers.py'), name, folder, order, seconds, batch, ...(prepare ? ['prepare'] : [])],
];
const peers = options.peers.split(',').filter(Boolean);
const contenders = {
  [BASE]: ours('0'),
  'stormreel, 1 thread beside it': ours('1'),
  'stormreel, 2 threads beside it': ours('2'),
  ...Object.fromEntries(peers.map((name) => [name, peer(name)])),
};

for (const name of peers) await answer(contenders[name]('in order', true));
const rows = [];
for (const order of ['in order', 'shuffled']) {
  const answers = {};
  for (let round = 0; round < Number(options.rounds); round++)
    for (const [name, command] of Object.entries(contenders)) {
      if (order === 'shuffled' && name === 'ring') continue; // it streams in order
      if (round > 0 && LIBRARIES.includes(name)) continue;
      const found = await answer(command(order));
      if (found) (answers[name] ??= []).push(found);
    }
  compareSums(order, Object.values(answers).flat());
  for (const [name, found] of Object.entries(answers)) rows.push(row(order, name, found));
}
for (const line of rows) line.ratio = rateOf(line.order, BASE) / line.windowsPerSecond;
if (options.json) console.log(JSON.stringify({ ...options, rows }));
else for (const line of rows) console.log(text(line));

/** The JSON of a contender; null, told, where it cannot run. */
async function answer([program, args, settings]) {
  try {
    const { stdout } = await run(program, args, { maxBuffer: 1 << 24, timeout: 180_000, ...settings });
    const last = stdout.trim().split('\n').at(-1);
    return last?.startsWith('{') ? JSON.parse(last) : null;
  } catch (error) {
    console.error(
      `${args[1]} cannot run: ${String(error.stderr || error.message)
        .trim()
        .split('\n')
        .at(-1)}`,
    );
    return null;
  }
}

/** In order the first windows, in any order a whole epoch, as far as a contender came. */
function compareSums(order, answers) {
  for (const of of order === 'shuffled' ? ['whole'] : ['head', 'whole']) {
    const sums = new Set(answers.map((one) => one[of]).filter((sum) => sum !== null));
    if (sums.size > 1) throw new Error(`the contenders saw different windows: sums ${[...sums].join(', ')}`);
  }
}

function row(order, name, found) {
  const middle = (of) => median(found.map((one) => one[of]));
  const readsPerFrame =
    found.map((one) => one.readsPerFrame ?? null).findLast((reads) => reads !== null) ?? null;
  return {
    order,
    name,
    windowsPerSecond: middle('windowsPerSecond'),
    cpuMicros: middle('cpuMicros'),
    readsPerFrame,
  };
}

function text({ order, name, windowsPerSecond, cpuMicros, ratio, readsPerFrame }) {
  const reads = readsPerFrame === null ? '' : `   ${readsPerFrame.toFixed(2)} reads a frame`;
  return [
    order.padEnd(8),
    name.padEnd(30),
    `${Math.round(windowsPerSecond)}`.padStart(7),
    `windows/s ${cpuMicros.toFixed(0).padStart(7)} us of processor a window   first / it ${ratio.toFixed(2)}${reads}`,
  ].join(' ');
}

function rateOf(order, name) {
  return rows.find((line) => line.order === order && line.name === name)?.windowsPerSecond ?? Number.NaN;
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
