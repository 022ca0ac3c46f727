/**
 * Ingest of GeoTIFF variants against rasterio and pyarrow doing the same job, side by side: `npm run bench:ingest --
 * [--files 320] [--rounds 3] [--variants u8_none,f32] [--json]`. The peer is installed into .cache/bench-ingest the first time
 * (Python >= 3.10). Each round runs ours and the peer by turns, with one process and with two; medians of files a second.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const venv = join(here, '../../.cache/bench-ingest');
const python = join(venv, 'bin', 'python');
const WARM = 32;

const { values: flags } = parseArgs({
  options: {
    files: { type: 'string', default: '320' },
    rounds: { type: 'string', default: '3' },
    variants: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const [files, rounds] = [Number(flags.files), Number(flags.rounds)];
if (!(files > 2 * WARM) || !(rounds >= 1)) fail(`--files must be over ${2 * WARM}, --rounds 1 or more`);
if (!existsSync(join(here, '../../dist/pipeline/raster/index.js'))) fail('run npm run build first');

install();
const folder = mkdtempSync(join(tmpdir(), 'stormreel-bench-'));
const results = [];
try {
  tell(`making ${files} files of each variant`);
  call(python, [join(here, 'maps.py'), join(folder, 'maps'), String(files)]);
  const wanted = flags.variants?.split(',');
  for (const variant of readdirSync(join(folder, 'maps')))
    if (!wanted || wanted.some((part) => variant.startsWith(part))) results.push(await measure(variant));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(flags.json ? JSON.stringify(results) : table(results));

function install() {
  if (spawnSync(python, ['-c', 'import rasterio, pyarrow']).status === 0) return;
  tell('installing the peer into .cache/bench-ingest');
  call('python3', ['-m', 'venv', venv]);
  call(python, ['-m', 'pip', 'install', '--quiet', '-r', join(here, 'requirements.txt')]);
}

/** Medians of files a second over the rounds. */
async function measure(variant) {
  const paths = readdirSync(join(folder, 'maps', variant)).map((name) => join(folder, 'maps', variant, name));
  const runs = { ours1: [], peer1: [], ours2: [], peer2: [] };
  for (let round = 0; round < rounds; round++)
    for (const key of Object.keys(runs)) {
      tell(`${variant}, round ${round + 1} of ${rounds}, ${key}`);
      const processes = Number(key.slice(-1));
      const shares = Array.from({ length: processes }, (_, i) =>
        paths.slice((i * paths.length) / processes, ((i + 1) * paths.length) / processes),
      );
      const times = await Promise.all(shares.map((share, i) => timed(key.startsWith('ours'), share, i)));
      // Together they are as fast as the sum, while all of them run.
      runs[key].push(times.reduce((sum, { files, seconds }) => sum + files / seconds, 0));
    }
  const [ours1, peer1, ours2, peer2] = Object.values(runs).map(median);
  return {
    variant,
    ours1,
    peer1,
    ours2,
    peer2,
    ratio1: ours1 / peer1,
    ratio2: ours2 / peer2,
    scale: ours2 / ours1,
  };
}

async function timed(ours, paths, number) {
  const [list, out] = [join(folder, `list${number}`), join(folder, `out${number}`)];
  writeFileSync(list, paths.join('\n'));
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  const program = ours ? [process.execPath, join(here, 'ours.mjs')] : [python, join(here, 'peer.py')];
  const child = spawn(program[0], [program[1], list, out, String(WARM)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (part) => {
    text += part;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`${program.join(' ')} ended with ${code}`);
  return JSON.parse(text);
}

function median(numbers) {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1];
}

function table(rows) {
  const line = (cells) => cells.map((cell, i) => (i ? String(cell).padStart(9) : cell.padEnd(22))).join('');
  const head = ['files a second', 'ours', 'peer', 'ours/peer', '2 ours', '2 peers', '2/2', '2 ours/1'];
  const one = (r) => [r.ours1, r.peer1, r.ratio1, r.ours2, r.peer2, r.ratio2, r.scale];
  const text = (n, i) => (i === 2 || i > 4 ? n.toFixed(2) : n.toFixed(0));
  return [line(head), ...rows.map((r) => line([r.variant, ...one(r).map(text)]))].join('\n');
}

function call(program, args) {
  const { status } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) fail(`${program} ended with ${status}`);
}

function tell(text) {
  process.stderr.write(`${text}\n`);
}

function fail(text) {
  console.error(text);
  process.exit(2);
}
