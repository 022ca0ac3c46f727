/** `stormreel train`: a model from a dataset with labels. */
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { Option } from 'commander';
import { stillNote, stillShare } from '../pipeline/channels/index.js';
import { ConfigError } from '../pipeline/errors.js';
import { loadLabels } from '../pipeline/labels/index.js';
import { makeSplit, TRAIN } from '../pipeline/sequences/index.js';
import { datasetAddress, openDataset } from '../pipeline/shards/index.js';
import {
  BACKEND_NAMES,
  type BackendInfo,
  type BackendName,
  describeBackend,
  openBackend,
} from '../pipeline/tensor/index.js';
import {
  type FitInput,
  fitModel,
  type StartReport,
  sanity,
  saveProvenance,
  saveTrained,
  startText,
} from '../pipeline/training/index.js';
import { longestWindow, RunConfig, SplitConfig } from '../schemas/config/index.js';
import { action, define, type Output } from './command.js';
import { check, loadConfig } from './config.js';

interface Flags {
  out: string;
  config?: string;
  split?: string;
  labelsSource?: string;
  seed?: string;
  epochs?: string;
  init?: string;
  steps?: string;
  resume?: boolean;
  sanity?: boolean;
  backend?: BackendName;
}

export const command = () =>
  define(
    'train',
    'Train a model on a dataset with labels',
    'stormreel train dataset --out run --split train=2000-01-01/2002-01-01,test=2002-01-01/2003-01-01',
  )
    .argument('<dataset>', 'folder or s3:// address of the dataset')
    .requiredOption('--out <run>', 'folder of the run')
    .option('--config <file>', 'stormreel.yaml; its split, model and training sections are used')
    .option('--split <parts>', 'train=FROM/TO,validation=FROM/TO,test=FROM/TO; from <= time < to')
    .option('--labels-source <name>', 'which labels, where the dataset has several')
    .option('--seed <n>', 'seed of the first ensemble member')
    .addOption(new Option('--epochs <n>', 'passes over all windows').conflicts('steps'))
    .option('--steps <n>', 'optimiser updates')
    .option('--init <weights>', 'start from the encoder of a run, or from weights of model import-keras')
    .option('--resume', 'go on from the checkpoints in the run, if they are of this configuration')
    .option('--sanity', 'only check that the model can learn eight sequences by heart')
    .addOption(
      new Option('--backend <name>', 'tensor backend').choices(BACKEND_NAMES).env('STORMREEL_BACKEND'),
    )
    .action(
      action<Flags>(async ({ args: [dataset], flags, out, signal }) => {
        const config = await runConfig(dataset, flags);
        const store = await openDataset(datasetAddress(dataset));
        try {
          const labels = await loadLabels(
            datasetAddress(dataset),
            store,
            flags.labelsSource ?? config.labels.source,
          );
          const split = makeSplit(store, labels, config.split, longestWindow(config));
          for (const note of split.notes) out.log(note);
          const trainFrames = [...split.part.keys()].filter((frame) => split.part[frame] === TRAIN);
          const still = stillNote(await stillShare(store, trainFrames));
          if (still) out.log(still);
          const backend = await openBackend({ backend: flags.backend, log: out.log });
          const { model, training } = config;
          const { onProgress } = out;
          const input: FitInput = { store, labels, split, model, training, onProgress, signal };
          if (flags.sanity) await runSanity(input, out);
          else await runTraining(input, { config, backend, flags, out });
        } finally {
          await store.close();
        }
      }),
    );

async function runTraining(
  input: FitInput,
  { config, backend, flags, out }: { config: RunConfig; backend: BackendInfo; flags: Flags; out: Output },
): Promise<void> {
  const { store, labels, split } = input;
  const run = resolve(flags.out);
  const { index } = store;
  const versions = { stormreel: version(), node: process.versions.node, ...backend.versions };
  await saveProvenance(
    run,
    {
      config,
      dataset: {
        path: config.dataset,
        hash: store.hash,
        frames: index.length,
        bad: index.ok.reduce((n, ok) => n + Number(ok === 0), 0),
      },
      labels: { source: labels.source, hash: labels.hash, rule: labels.rule },
      split: { hash: split.hash, leaky: split.leaky, notes: [...split.notes] },
      versions,
      backend: describeBackend(backend),
    },
    split,
  );
  const told: { start?: StartReport } = {};
  const trained = await fitModel({
    ...input,
    onStart: (report) => {
      told.start = report;
      out.log(startText(report));
    },
    checkpointDir: join(run, 'checkpoints'),
    resume: flags.resume,
    log: join(run, 'log.jsonl'),
  });
  await saveTrained(run, { ...trained, versions: { ...versions, ...trained.versions } });
  const { seeds, positives, negatives, prior } = trained;
  out.result(
    { run, seeds, positives, negatives, prior, backend: trained.backend, ...told },
    `${run}: ${seeds.length} member${seeds.length > 1 ? 's' : ''} trained on ${positives + negatives} labelled frames, ${positives} of them storm`,
  );
}

async function runSanity(input: FitInput, out: Output): Promise<void> {
  const found = await sanity(input);
  const percent = (100 * found.accuracy).toFixed(1);
  const text = `${percent} % of ${found.frames} frames right after ${found.steps} steps (${found.positives} storm)`;
  if (found.accuracy < 1)
    throw new ConfigError(`the model cannot learn eight sequences by heart: ${text}`, {
      hint: 'look at the label join and the inputs (stormreel dataset info), or give the model more filters',
      fields: { ...found },
    });
  out.result(found, text);
}

/** The config file, or defaults, with the flags on top. */
async function runConfig(dataset: string, flags: Flags): Promise<RunConfig> {
  const file = flags.config ? await loadConfig(flags.config) : null;
  const split = flags.split ? parseSplit(flags.split) : file?.split;
  if (!split)
    throw new ConfigError('no split: which frames train and which test?', {
      hint: 'add --split train=FROM/TO,test=FROM/TO or --config FILE with a split section',
    });
  const base = file ?? {
    dataset,
    run: flags.out,
    ingest: { sources: [datasetAddress(dataset)] },
    labels: {},
    training: {},
  };
  const training: Record<string, unknown> = { ...base.training };
  if (flags.seed !== undefined) training.seed = number(flags.seed);
  if (flags.init !== undefined) [training.init, training.initSha256] = [resolve(flags.init), undefined];
  if (flags.steps !== undefined) [training.steps, training.epochs] = [number(flags.steps), undefined];
  if (flags.epochs !== undefined) [training.epochs, training.steps] = [number(flags.epochs), undefined];
  const whole = { ...base, dataset: datasetAddress(dataset), run: resolve(flags.out), split, training };
  return check(RunConfig, whole, flags.config ? `${flags.config} with flags` : 'flags');
}

/** `train=A/B,validation=C/D,test=E/F` -> date ranges. */
export function parseSplit(text: string): SplitConfig {
  const ranges: Record<string, unknown> = { by: 'dates' };
  for (const part of text.split(',')) {
    const [, name, from, to] = /^\s*(\w+)=([^/]+)\/([^/]+?)\s*$/.exec(part) ?? [];
    if (!name || name in ranges)
      throw new ConfigError(`cannot read --split: found "${part}"`, {
        hint: 'write --split train=2000-01-01/2001-06-01,validation=2001-06-01/2002-01-01,test=2002-01-01/2003-01-01',
        fields: { part },
      });
    ranges[name] = [from, to];
  }
  return check(SplitConfig, ranges, '--split');
}

/** Text that is no number stays as it is, so that the schema names the field. */
const number = (text: string): number | string => (Number.isFinite(Number(text)) ? Number(text) : text);

/** Read through the package's own name, so that it is found from the sources and from dist alike. */
const version = (): string => createRequire(import.meta.url)('stormreel/package.json').version;
