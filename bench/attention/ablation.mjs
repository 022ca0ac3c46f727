/**
 * What each attention module is worth: the same small network with and without channel, element and scale attention on
 * picture sets, several seeds, through ingest, training and labelling of the library (windows of one frame). AUROC of the
 * test part; the difference to the plain network with 95 % intervals, over seeds (t) and over pictures (2,000 draws).
 *
 *   npm run build && node bench/attention/ablation.mjs [--data ../shared/data] [--only pneumoniamnist,mnist10k]
 *     [--seeds 5] [--epochs 20] [--variants plain,all] [--json]
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  describeBackend,
  fitModel,
  IngestConfig,
  ingest,
  joinLabels,
  LabelsConfig,
  labelFrames,
  ModelConfig,
  makeSplit,
  metrics,
  openBackend,
  openDataset,
  priorCalibration,
  Random,
  readLabels,
  SplitConfig,
  TEST,
  TrainingConfig,
  tensor,
} from '../../dist/index.js';
import { SETS, writeSet } from './pictures.mjs';

const { values: options } = parseArgs({
  options: {
    data: { type: 'string', default: '../shared/data' },
    only: { type: 'string', default: Object.keys(SETS).join() },
    variants: { type: 'string' },
    seeds: { type: 'string', default: '5' },
    epochs: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
  },
});
const SEEDS = Number(options.seeds);
const DRAWS = 2000;

/** Name -> `model.encoder.attention`. All taps of the network are attended to. */
const VARIANTS = {
  plain: { modules: [] },
  channel: { modules: ['channel'], gate: 'inline' },
  element: { modules: ['element'] },
  'channel + element': { modules: ['channel', 'element'], gate: 'inline' },
  'element + scale': { modules: ['element', 'scale'] },
  all: { modules: ['channel', 'element', 'scale'] },
  'all, gates inline': { modules: ['channel', 'element', 'scale'], gate: 'inline' },
  'as without a word': undefined,
};
const variants = options.variants?.split(',') ?? Object.keys(VARIANTS);
const sets = options.only.split(',');
const unknown = [...variants.filter((v) => !(v in VARIANTS)), ...sets.filter((s) => !(s in SETS))];
if (unknown.length || !(SEEDS >= 1)) {
  console.error(
    `unknown: ${unknown.join(', ')}; variants are ${Object.keys(VARIANTS).join(', ')}; sets are ${Object.keys(SETS).join(', ')}`,
  );
  process.exit(2);
}

await openBackend({ log: console.error });
const results = {};
for (const name of sets) {
  if (!existsSync(join(options.data, name))) {
    console.error(`${name}: not in ${options.data}, left out`);
    continue;
  }
  results[name] = await ablate(name);
}
if (options.json)
  console.log(
    JSON.stringify({ backend: describeBackend(), epochs: Number(options.epochs), results }, null, 1),
  );

async function ablate(name) {
  const folder = mkdtempSync(join(tmpdir(), `stormreel-ablation-${name}-`));
  try {
    const { store, labels, split } = await prepared(name, folder);
    const test = [...split.part.keys()].filter((f) => split.part[f] === TEST);
    const truth = test.map((f) => labels.label[f]);
    const scores = {};
    for (const variant of variants) {
      scores[variant] = [];
      for (let seed = 0; seed < SEEDS; seed++) {
        const started = performance.now();
        const logit = await oneRun({ store, labels, split }, VARIANTS[variant], seed);
        scores[variant].push(test.map((f) => logit[f]));
        const [own] = scores[variant].slice(-1);
        const seconds = ((performance.now() - started) / 1000).toFixed(0);
        console.error(
          `${name}, ${variant}, seed ${seed}: AUROC ${auroc(truth, own).toFixed(4)} (${seconds} s)`,
        );
      }
    }
    await store.close();
    const table = judged(truth, scores);
    if (!options.json) print(SETS[name].words, test.length, table);
    return table;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function prepared(name, folder) {
  const splitConfig = writeSet(name, options.data, folder);
  const dataset = join(folder, 'dataset');
  await ingest(dataset, IngestConfig.parse({ sources: [join(folder, 'maps')] }), { workers: 1 });
  const store = await openDataset(dataset);
  const labelsConfig = LabelsConfig.parse({ file: join(folder, 'labels.csv') });
  const labels = joinLabels(store, await readLabels(labelsConfig, { baseDir: '.' }), labelsConfig);
  return {
    store,
    labels,
    split: makeSplit(store, labels, SplitConfig.parse(splitConfig), { windowLength: 1 }),
  };
}

/** Logits of all frames. */
async function oneRun({ store, labels, split }, attention, seed) {
  const encoder = {
    kind: 'cnn',
    widths: [16, 32, 64],
    ...(attention && { attention: { taps: [0, 1, 2], ...attention } }),
  };
  const model = ModelConfig.parse({ encoder });
  const epochs = Number(options.epochs);
  const training = TrainingConfig.parse({ seed, windowLength: 1, batch: 128, epochs, shift: 1 });
  const trained = await fitModel({ store, labels, split, model, training });
  const { logit } = await labelFrames(trained, store, priorCalibration(trained.prior));
  for (const member of trained.members) tensor.dispose(member);
  return logit;
}

function auroc(truth, score) {
  return metrics.auroc(Float64Array.from(score), Uint8Array.from(truth));
}

/** Mean over seeds; difference to the plain network, seed by seed. */
function judged(truth, scores) {
  const each = Object.fromEntries(
    Object.entries(scores).map(([variant, own]) => [variant, own.map((score) => auroc(truth, score))]),
  );
  const drawn = drawMeans(truth, scores);
  return Object.entries(each).map(([variant, values]) => {
    const gains = each.plain && variant !== 'plain' ? values.map((v, i) => v - each.plain[i]) : null;
    return {
      variant,
      auroc: mean(values),
      seeds: values,
      ci95: quantiles(drawn[variant]),
      gain: gains && {
        mean: mean(gains),
        overSeeds: tInterval(gains),
        overPictures: quantiles(drawn[variant].map((v, i) => v - drawn.plain[i])),
      },
    };
  });
}

/** Mean AUROC over seeds of every draw of pictures, the same pictures for every variant. */
function drawMeans(truth, scores) {
  const random = Random.from(1);
  const n = truth.length;
  const ordered = Object.fromEntries(
    Object.entries(scores).map(([variant, own]) => [variant, own.map(ascending)]),
  );
  const drawn = Object.fromEntries(Object.keys(scores).map((variant) => [variant, []]));
  for (let d = 0; d < DRAWS; d++) {
    const times = new Uint16Array(n);
    for (let i = 0; i < n; i++) times[random.integer(n)]++;
    for (const [variant, own] of Object.entries(ordered))
      drawn[variant].push(mean(own.map((order) => weighedAuroc(truth, order, times))));
  }
  return drawn;
}

/** Groups of pictures of one score, ascending. */
function ascending(score) {
  const groups = new Map();
  for (const i of [...score.keys()].sort((a, b) => score[a] - score[b]))
    groups.set(score[i], [...(groups.get(score[i]) ?? []), i]);
  return [...groups.values()];
}

function weighedAuroc(truth, groups, times) {
  let [below, positives, wins] = [0, 0, 0];
  for (const group of groups) {
    let [no, yes] = [0, 0];
    for (const i of group) {
      if (truth[i] === 1) yes += times[i];
      else no += times[i];
    }
    wins += yes * (below + no / 2);
    below += no;
    positives += yes;
  }
  return wins / (positives * below);
}

function mean(values) {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function quantiles(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return [0.025, 0.975].map((q) => sorted[Math.round(q * (sorted.length - 1))]);
}

/** 97.5 % quantile of Student's t with 1 to 10 degrees of freedom. */
const STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

function tInterval(values) {
  if (values.length < 2) return null;
  const m = mean(values);
  const sd = Math.sqrt(values.reduce((a, v) => a + (v - m) ** 2, 0) / (values.length - 1));
  const half = ((STUDENT[values.length - 2] ?? 1.96) * sd) / Math.sqrt(values.length);
  return [m - half, m + half];
}

function print(words, count, table) {
  const points = (v) => v.toFixed(4);
  const interval = (pair) => (pair ? `[${pair.map((v) => v.toFixed(4)).join(', ')}]` : '-');
  console.log(`\n${words}: ${count} test pictures, ${SEEDS} seeds\n`);
  console.log(
    '| modules | AUROC (mean of seeds) | over pictures | gain on plain | over seeds | over pictures |',
  );
  console.log('|---|---|---|---|---|---|');
  for (const { variant, auroc: value, ci95, gain } of table)
    console.log(
      `| ${variant} | ${points(value)} | ${interval(ci95)} | ${gain ? points(gain.mean) : '-'} | ${interval(gain?.overSeeds)} | ${interval(gain?.overPictures)} |`,
    );
}
