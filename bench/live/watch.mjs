/**
 * How long a map waits for its label, and whether a watch that runs for long stays small.
 *
 *   npm run bench:live -- [--frames 60] [--every 1] [--size 64] [--json]      # a map every second: seconds to its label
 *   npm run bench:live -- --soak 3000 [--json]                                # maps as fast as they are taken: resident memory
 *
 * A model is trained first on a simulated season (a few steps: what it says does not matter here). Each map appears in
 * one move, as `mv` or rsync do; the time counts from the end of the settling (1 s) to the synced line of the record.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeSeason } from '../../dist/index.js';

const PROGRAM = fileURLToPath(new URL('../../bin/stormreel.js', import.meta.url));
const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '60' },
    every: { type: 'string', default: '1' },
    size: { type: 'string', default: '64' },
    soak: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const soak = values.soak ? Number(values.soak) : 0;
const frames = soak || Number(values.frames);
const size = soak ? 16 : Number(values.size);
const TRAINED = 240;

const folder = mkdtempSync(join(tmpdir(), 'stormreel-bench-live-'));
const at = (...names) => join(folder, ...names);
const stormreel = (...args) =>
  execFileSync(process.execPath, [PROGRAM, ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
try {
  const found = await measure(await prepare());
  if (values.json) console.log(JSON.stringify(found));
  else for (const [name, value] of Object.entries(found)) console.log(`${name.padEnd(24)} ${value}`);
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Trains on the first maps of a season; the names of the others. */
async function prepare() {
  const storms = Math.floor((TRAINED + frames) / 30);
  const options = { frames: TRAINED + frames, step: '1h', size, storms, seed: 3, gaps: 0 };
  await writeSeason(at('season'), options);
  mkdirSync(at('maps'));
  mkdirSync(at('incoming'));
  const names = readdirSync(at('season'))
    .filter((name) => name.endsWith('.tif'))
    .sort();
  for (const name of names.slice(0, TRAINED)) renameSync(at('season', name), at('maps', name));
  const labels = ['--labels', at('season/labels.csv'), '--label-unmatched', 'drop'];
  stormreel('ingest', 'maps', '--out', 'dataset', '--quiet', '--series', 'season', ...labels);
  const [, from] = /(\d{8})T/.exec(names[0]);
  const day = (n) =>
    new Date(Date.parse(`${from.slice(0, 4)}-${from.slice(4, 6)}-${from.slice(6)}`) + n * 86_400_000)
      .toISOString()
      .slice(0, 10);
  const split = `train=${day(0)}/${day(6)},test=${day(7)}/${day(10)}`;
  stormreel('train', 'dataset', '--out', 'run', '--quiet', '--steps', '20', '--split', split);
  stormreel('anomaly', 'fit', 'dataset', '--out', 'run', '--quiet', '--steps', '20');
  return names.slice(TRAINED);
}

async function measure(names) {
  const args = [
    'watch',
    'incoming',
    '--dataset',
    'dataset',
    '--model',
    'run',
    '--series',
    'season',
    '--settle',
    '1s',
  ];
  const child = spawn(process.execPath, [PROGRAM, ...args, '--jsonl', '--json', '--quiet'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let [labelled, summary] = [0, null];
  const memory = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const told = JSON.parse(line);
    if (told.kind !== 'label') {
      summary = told;
      return;
    }
    labelled++;
    if (labelled % Math.max(1, Math.floor(frames / 10)) === 0)
      memory.push([labelled, residentMiB(child.pid)]);
  });
  const ended = new Promise((done) => child.once('close', done));
  await sleep(5_000); // models and queue are loaded
  let sent = 0;
  for (const name of names) {
    while (soak && sent - labelled > 20) await sleep(20);
    renameSync(at('season', name), at('incoming', name));
    sent++;
    if (!soak) await sleep(Number(values.every) * 1_000);
  }
  const patience = Date.now() + 120_000;
  while (labelled < names.length && Date.now() < patience) await sleep(100);
  child.kill('SIGTERM');
  const asked = Date.now();
  await ended;
  const [p50, p95] = [summary?.latency?.p50, summary?.latency?.p95].map((s) => s?.toFixed(2));
  return {
    frames: labelled,
    'seconds to label, p50': p50,
    'seconds to label, p95': p95,
    'resident MiB': memory.map(([n, mib]) => `${n}: ${mib}`).join(', '),
    'seconds to end': ((Date.now() - asked) / 1_000).toFixed(1),
    'exit code': child.exitCode,
  };
}

/** Of the watch itself, without its decoding process. Linux only. */
function residentMiB(pid) {
  const path = `/proc/${pid}/status`;
  if (!existsSync(path)) return Number.NaN;
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(path, 'utf8'))?.[1]) / 1024);
}
