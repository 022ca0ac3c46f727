/**
 * Milliseconds of a training step, and of a forward pass, beside Keras and PyTorch (channels last): same model, same weights,
 * same data, each contender in a process of its own, turn by turn; medians, ratios, peak memory. The losses of the first step
 * are compared: what is timed is the same computation.
 *
 *   npm run bench:train -- [--python PYTHON] [--models cnn] [--steps 10] [--rounds 3] [--json]
 *
 * PYTHON has the packages of requirements.txt.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const run = promisify(execFile);
/** Ours / theirs that is aimed for. */
const TARGETS = { train: { cnn: { keras: 1, torch: 1.3 }, densenet121: { keras: 0.9, torch: 1.3 } } };
const SAME = 1e-4;
const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: join(here, '../.venv/bin/python') },
    models: { type: 'string', default: 'cnn' },
    steps: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'stormreel-bench-train-'));
const node = (model, what, steps, ...more) => [
  process.execPath,
  [join(here, 'ours.mjs'), model, what, steps, folder, ...more],
];
const python = (who) => (model, what, steps) => [
  options.python,
  [join(here, 'peers.py'), who, model, what, steps, folder],
];
const CONTENDERS = { ours: node, keras: python('keras'), torch: python('torch') };

const rows = [];
try {
  for (const model of options.models.split(',')) {
    await answer(node(model, 'train', '0', '--prepare'));
    for (const what of ['train', 'forward']) rows.push(...(await compare(model, what)));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (options.json) console.log(JSON.stringify({ targets: TARGETS, rows }));
else for (const row of rows) console.log(text(row));

async function compare(model, what) {
  const found = {};
  for (let round = 0; round < Number(options.rounds); round++)
    for (const [name, command] of Object.entries(CONTENDERS)) {
      console.error(`${model}, ${what}, round ${round + 1} of ${options.rounds}, ${name}`);
      const one = await answer(command(model, what, options.steps));
      if (one) (found[name] ??= []).push(one);
    }
  const { first } = found.ours[0];
  for (const [name, all] of Object.entries(found))
    for (const one of all)
      if (Math.abs(one.first - first) > SAME * Math.max(1, Math.abs(first)))
        throw new Error(
          `${name} computes something else on ${model}: ${one.first} where ours gives ${first}`,
        );
  const ms = (name) => median(found[name].map((one) => one.medianMs));
  return Object.keys(found).map((name) => ({
    model,
    what,
    name,
    ms: ms(name),
    peakMiB: median(found[name].map((one) => one.peakMiB)),
    ratio: ms('ours') / ms(name),
    memoryRatio: median(found.ours.map((one) => one.peakMiB)) / median(found[name].map((one) => one.peakMiB)),
    target: TARGETS[what]?.[model]?.[name] ?? null,
  }));
}

/** The JSON of a contender; null, told, where it cannot run. */
async function answer([program, args]) {
  try {
    const { stdout } = await run(program, args, { maxBuffer: 1 << 24 });
    return JSON.parse(stdout.trim().split('\n').at(-1));
  } catch (error) {
    const said = String(error.stderr || error.message).trim();
    console.error(`${args.slice(0, 3).join(' ')} cannot run: ${said.split('\n').at(-1)}`);
    return null;
  }
}

function text({ model, what, name, ms, peakMiB, ratio, memoryRatio, target }) {
  const aim = target === null ? '' : `   aim ${target}: ${ratio <= target ? 'met' : 'MISSED'}`;
  return `${model.padEnd(12)} ${what.padEnd(8)} ${name.padEnd(6)} ${ms.toFixed(0).padStart(6)} ms ${String(peakMiB).padStart(6)} MiB   ours / it ${ratio.toFixed(2)}, memory ${memoryRatio.toFixed(2)}${aim}`;
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}
