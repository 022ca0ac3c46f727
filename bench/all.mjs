/**
 * Every speed target beside what is measured, in one run and one table: ingest, windows, into TensorFlow, memory, far into
 * an epoch, queue, restarts. About a quarter of an hour on two quiet cores; each part says how it goes on stderr.
 *
 *   npm run bench -- [--python PYTHON] [--python-mosaic PYTHON] [--only ingest,queue] [--json]
 *
 * The two Pythons are those of `npm run bench:windows`. Exit 0 whatever is met: this measures, tests judge.
 */
import { spawn } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    python: { type: 'string' },
    'python-mosaic': { type: 'string' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const pythons = ['python', 'python-mosaic'].flatMap((name) =>
  options[name] ? [`--${name}`, options[name]] : [],
);

/** Name -> script, its arguments, and the rows that its JSON gives: `[what, target, measured, met]`. */
const PARTS = {
  ingest: ['ingest/run.mjs', ['--files', '128', '--rounds', '3'], ingestRows],
  windows: ['windows/run.mjs', ['--rounds', '3', '--seconds', '1', ...pythons], windowRows],
  tensor: ['windows/tensor.mjs', ['--rounds', '3'], tensorRows],
  memory: ['windows/memory.mjs', [], memoryRows('the ring of training')],
  batches: ['windows/memory.mjs', ['--batches'], memoryRows('ring and batches of windowBatches')],
  resume: ['windows/resume.mjs', [], resumeRows],
  queue: ['queue/overhead.mjs', [], queueRows],
  restart: ['queue/restart.mjs', ['--kills', '20'], restartRows],
};

const wanted = options.only?.split(',') ?? Object.keys(PARTS);
const unknown = wanted.filter((name) => !PARTS[name]);
if (unknown.length > 0) {
  console.error(`no part ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}
const began = { cores: cpus().length, load: loadavg()[0] };
const table = [];
for (const name of wanted) {
  const [script, args, rows] = PARTS[name];
  console.error(`${name}: ${script}`);
  try {
    for (const [what, target, measured, met] of rows(await run(script, args)))
      table.push({ part: name, what, target, measured, met });
  } catch (error) {
    table.push({ part: name, what: 'all of it', target: '', measured: error.message, met: false });
  }
}
if (options.json) console.log(JSON.stringify({ ...began, table }));
else print();

function ingestRows(variants) {
  return variants.flatMap(({ variant, ratio1, scale }) => [
    atLeast(`${variant}, one process / rasterio + pyarrow`, /none/.test(variant) ? 1.5 : 1, ratio1),
    atLeast(`${variant}, two of ours / one`, 1.5, scale),
  ]);
}

function windowRows({ rows }) {
  const by = (order, names) =>
    Math.max(
      ...rows.filter((row) => row.order === order && names.test(row.name)).map((row) => row.windowsPerSecond),
    );
  const ours = (order) => by(order, /^stormreel/);
  const rate = (order, names) => ours(order) / by(order, names);
  const library = /^(litdata|mosaic|grain|tfdata|torch)$/;
  return [
    atLeast('in order / best hand-written peer', 1.3, rate('in order', /^(numpy|ring)/)),
    atLeast('in order / fastest library', 4, rate('in order', library)),
    atLeast('shuffled / NumPy', 1, rate('shuffled', /^numpy/)),
    atMost('frames read in order', 1.05, readsOf(rows, 'in order')),
    atMost('frames read shuffled', 2, readsOf(rows, 'shuffled')),
  ];
}

function readsOf(rows, order) {
  return Math.max(
    ...rows.filter((row) => row.order === order && row.readsPerFrame).map((row) => row.readsPerFrame),
  );
}

function tensorRows({ backend, ratio }) {
  return [atLeast(`into ${backend} / windows built in JavaScript`, 1.5, ratio)];
}

function memoryRows(what) {
  return ({ samplesMiB, beforeMiB, ringMiB }) => {
    const above = Math.max(...samplesMiB) - beforeMiB - ringMiB;
    return [atMost(`MiB above the start and ${what}, over 20 times its size`, 100, above)];
  };
}

function resumeRows(cases) {
  return cases.map(({ case: name, window, ms, targetMs }) =>
    atMost(`s to the first batch at window ${window}, ${name}`, targetMs / 1000, ms / 1000),
  );
}

function queueRows({ targets, table }) {
  return table.flatMap(({ backEnd, ratio, planSeconds }) => [
    atLeast(`${backEnd}, no-op jobs/s / bare BullMQ`, targets.ratio, ratio),
    atMost(`${backEnd}, s for a plan of 10,000 slots`, targets.planSeconds[backEnd], planSeconds),
  ]);
}

function restartRows({ table, targetSeconds }) {
  return table.map(({ killed, p95 }) =>
    atMost(`s from SIGKILL to work again, p95, ${killed}`, targetSeconds, p95),
  );
}

function atLeast(what, target, measured) {
  return [what, `>= ${target}`, measured, measured >= target];
}

function atMost(what, target, measured) {
  return [what, `<= ${target}`, measured, measured <= target];
}

/** The last line of what a script prints, parsed. */
function run(script, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(here, script), ...args, '--json'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (part) => {
      text += part;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const last = text.trim().split('\n').at(-1) ?? '';
      if (code === 0 && /^[[{]/.test(last)) resolve(JSON.parse(last));
      else reject(new Error(`${script} ended with ${code}`));
    });
  });
}

function print() {
  console.log(`${began.cores} cores, load ${began.load.toFixed(1)} at the start`);
  for (const { part, what, target, measured, met } of table) {
    const value = typeof measured === 'number' ? measured.toFixed(2) : measured;
    console.log(
      `${part.padEnd(8)} ${what.padEnd(62)} ${target.padStart(8)} ${value.padStart(8)}  ${met ? 'met' : 'MISSED'}`,
    );
  }
}
