/**
 * Runs a config once for each block (or each series) of its split as the test part, and judges all of them together:
 * each seed alone, the mean of the seeds, and the simple scores of the ladder, with paired intervals. Nothing is chosen
 * on a test part.
 *
 *   node examples/folds.mjs examples/ncep_r1/stormreel.yaml 3 [training.centre=0.3]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import {
  auroc,
  averagePrecision,
  judgedFrames,
  labelCells,
  pairedGain,
  predictFrames,
  rankScores,
  resamplingUnits,
  simpleScores,
} from '../dist/pipeline/labelling/index.js';
import { loadLabels } from '../dist/pipeline/labels/index.js';
import { TEST, TRAIN } from '../dist/pipeline/sequences/index.js';
import { openDataset } from '../dist/pipeline/shards/index.js';
import { openBackend } from '../dist/pipeline/tensor/index.js';
import { loadSplit, loadTrained } from '../dist/pipeline/training/index.js';

const [file, folds, ...settings] = process.argv.slice(2);
if (!file || !(Number(folds) >= 2)) {
  console.error('usage: node examples/folds.mjs CONFIG FOLDS [section.name=value ...]');
  process.exit(2);
}
const PROGRAM = fileURLToPath(new URL('../bin/stormreel.js', import.meta.url));
const base = dirname(resolve(file));
const config = parse(readFileSync(file, 'utf8'));
for (const setting of settings) {
  const [path, value] = setting.split('=');
  const [section, name] = path.split('.');
  config[section][name] = JSON.parse(value);
}
const variant = ['folds', ...settings].join('-').replace(/[^\w.=-]/g, '_');
const stormreel = (...args) =>
  execFileSync(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });

stormreel('ingest', '--config', file, '--quiet');
await openBackend();
const dataset = resolve(base, config.dataset);
const store = await openDataset(dataset);
const labels = await loadLabels(dataset, store, config.labels.source);
const { index, description } = store;
/** Block `fold`, or series `fold` of those named, tests; the others train. */
function foldOf(split, fold) {
  if (split.by !== 'series') return { ...split, fold };
  const series = [...split.train, ...split.test];
  return { ...split, train: series.filter((_, i) => i !== fold), test: [series[fold]] };
}
const tests = [];
const pooled = new Map(); // name -> score of every frame that was tested
const put = (name, frames, score) => {
  if (!pooled.has(name)) pooled.set(name, new Float64Array(index.length).fill(Number.NaN));
  frames.forEach((frame, i) => {
    pooled.get(name)[frame] = score(frame, i);
  });
};
for (let fold = 0; fold < Number(folds); fold++) {
  const run = resolve(base, 'out', variant, `fold${fold}`);
  const own = { ...config, run, split: foldOf(config.split, fold) };
  mkdirSync(run, { recursive: true });
  const path = join(base, `out/${variant}-fold${fold}.yaml`);
  own.dataset = dataset;
  own.ingest = { ...own.ingest, sources: own.ingest.sources.map((s) => resolve(base, s)) };
  own.labels = { ...own.labels, file: resolve(base, own.labels.file) };
  writeFileSync(path, stringify(own));
  stormreel('train', dataset, '--out', run, '--config', path, '--resume', '--quiet');
  const trained = await loadTrained(run);
  const split = await loadSplit(run);
  const test = judgedFrames(index, labels, split.part, [TEST]);
  const train = judgedFrames(index, labels, split.part, [TRAIN]);
  tests.push(test);
  const members = [];
  for (const [m, member] of trained.members.entries()) {
    const { logit } = await predictFrames({ ...trained, members: [member] }, store, test);
    members.push(logit);
    put(`seed ${trained.seeds[m]}`, test, (_, i) => logit[i] - trained.prior);
  }
  put(
    `mean of ${members.length} seeds`,
    test,
    (_, i) => members.reduce((sum, l) => sum + l[i], 0) / members.length - trained.prior,
  );
  const cells = labelCells(description, config.labelling?.box);
  for (const { name, score } of await simpleScores({ store, labels, train, test, cells }))
    if (score) put(name, test, (frame) => score[frame]);
  console.error(
    `fold ${fold}: ${test.length} test frames, ${test.filter((f) => labels.label[f] === 1).length} of them storm`,
  );
}
await store.close();

// A simple score may look for a minimum in one block and a maximum in another: only those of all blocks are pooled.
const tested = Float64Array.from(pooled.get('seed 0') ?? [...pooled.values()][0]);
const frames = Uint32Array.from(tested.keys()).filter((f) => !Number.isNaN(tested[f]));
const names = [...pooled.keys()].filter((name) => frames.every((f) => !Number.isNaN(pooled.get(name)[f])));
const units = resamplingUnits(store, labels, { frames });
const ranked = rankScores(
  names.map((name) => Float64Array.from(frames, (f) => pooled.get(name)[f])),
  Uint8Array.from(frames, (f) => labels.label[f]),
  Int32Array.from(frames, (f) => units.unit[f]),
  units,
);
const figure = ({ value, ci95 }) =>
  `${value.toFixed(3)}${ci95 ? ` [${ci95.map((v) => v.toFixed(3)).join(', ')}]` : ''}`;
console.log(
  `${frames.length} frames of ${folds} blocks, ${frames.filter((f) => labels.label[f] === 1).length} of them storm; intervals: ${units.words}`,
);
for (const [k, name] of names.entries())
  console.log(`AUROC ${figure(ranked[k].auroc)}  AP ${figure(ranked[k].ap)}  ${name}`);
const alone = names.filter((name) => /mean/.test(name));
for (const [fold, part] of tests.entries())
  for (const name of alone) {
    const [score, label] = [pooled.get(name), labels.label].map((all) =>
      Float64Array.from(part, (f) => all[f]),
    );
    console.log(
      `test part ${fold} alone: AUROC ${auroc(score, label)?.toFixed(3)}  AP ${averagePrecision(score, label)?.toFixed(3)}  ${name}`,
    );
  }
const seeds = names
  .map((name, k) => [name, ranked[k]])
  .filter(([name]) => /^seed/.test(name))
  .map(([, r]) => r);
for (const key of ['auroc', 'ap']) {
  const values = seeds.map((r) => r[key].value);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const sd = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1));
  console.log(
    `${key} of single seeds: mean ${mean.toFixed(3)}, sd ${sd.toFixed(3)}, ${Math.min(...values).toFixed(3)} to ${Math.max(...values).toFixed(3)}`,
  );
}
const simple = names.filter((name) => !/seed/.test(name));
const best = simple.reduce((a, b) =>
  ranked[names.indexOf(a)].ap.value > ranked[names.indexOf(b)].ap.value ? a : b,
);
const whole = names.findIndex((name) => /^mean of/.test(name));
for (const rival of [best, ...simple.filter((name) => /msl Laplacian|logistic/.test(name) && name !== best)])
  for (const key of ['auroc', 'ap'])
    console.log(
      `${key} gain over ${rival}: ${figure(pairedGain(ranked[whole], ranked[names.indexOf(rival)], key, units))}`,
    );
process.exit(0);
