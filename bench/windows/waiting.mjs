/**
 * Share of time that training waits for frames, on the maps and the model of the demo: all frames held in memory, and
 * streamed through a ring because `training.memoryMiB` is small. Out of the log of each run.
 *
 *   npm run bench:waiting -- [--steps 400] [--json]
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parse, stringify } from 'yaml';

const { values: options } = parseArgs({
  options: { steps: { type: 'string', default: '400' }, json: { type: 'boolean', default: false } },
});
const root = fileURLToPath(new URL('../../', import.meta.url));
const demo = join(root, 'examples/era5_week');
const folder = join(tmpdir(), 'stormreel-bench-waiting');
const dataset = join(folder, 'dataset');
const stormreel = (...args) =>
  execFileSync(process.execPath, [join(root, 'bin/stormreel.js'), ...args, '--quiet'], { cwd: demo });

mkdirSync(folder, { recursive: true });
const config = parse(readFileSync(join(demo, 'stormreel.yaml'), 'utf8'));
if (!existsSync(join(dataset, 'manifest.json')))
  stormreel('ingest', '--config', 'stormreel.yaml', '--out', dataset);

const runs = [
  { name: 'held in memory', training: {} },
  { name: 'streamed, 1 reader thread', training: { memoryMiB: 8, readerThreads: 1 } },
  { name: 'streamed, 2 reader threads', training: { memoryMiB: 8, readerThreads: 2 } },
  { name: 'streamed, no reader thread', training: { memoryMiB: 8, readerThreads: 0 } },
].map(({ name, training }, i) => {
  const path = join(folder, `config-${process.pid}.yaml`);
  const run = join(folder, `run-${process.pid}-${i}`);
  writeFileSync(path, stringify({ ...config, training: { ...config.training, ensemble: 1, ...training } }));
  try {
    stormreel('train', dataset, '--config', path, '--out', run, '--steps', options.steps);
  } finally {
    rmSync(path);
  }
  const log = readFileSync(join(run, 'log.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  rmSync(run, { recursive: true });
  // Each line tells of its epoch so far: the last line of an epoch tells of all of it.
  const epochs = log.filter(({ epoch }, k) => k + 1 === log.length || log[k + 1].epoch > epoch);
  const shares = epochs.map(({ waiting }) => waiting).sort((a, b) => a - b);
  return {
    frames: name,
    epochs: epochs.length,
    'waiting, median': shares[shares.length >> 1],
    'waiting, most': shares.at(-1),
    'frames/s': log.at(-1).framesPerSecond,
    aim: 0.05,
  };
});
if (options.json) console.log(JSON.stringify(runs));
else console.table(runs);
