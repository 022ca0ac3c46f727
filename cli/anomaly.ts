/** `stormreel anomaly fit|score`: how unusual every frame of a dataset is. */
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Option } from 'commander';
import { type AnomalyRunResult, anomalyRun, scoreRun } from '../pipeline/anomaly/index.js';
import { formatOf } from '../pipeline/labelling/index.js';
import { BACKEND_NAMES, type BackendName, openBackend } from '../pipeline/tensor/index.js';
import { AnomalyConfig } from '../schemas/config/index.js';
import { action, define } from './command.js';
import { check, loadConfig } from './config.js';

interface FitFlags {
  out: string;
  config?: string;
  seed?: string;
  steps?: string;
  backend?: BackendName;
}

interface ScoreFlags {
  model: string;
  out: string;
  backend?: BackendName;
}

export const command = () =>
  define(
    'anomaly',
    'Say how unusual every frame is; unusual is not the same as storm',
    'stormreel anomaly fit dataset --out run',
  )
    .addCommand(fit())
    .addCommand(score());

const backend = () =>
  new Option('--backend <name>', 'tensor backend').choices(BACKEND_NAMES).env('STORMREEL_BACKEND');

const fit = () =>
  define(
    'fit',
    'Learn ordinary sequences from the training part, score every frame, compare with baselines',
    'stormreel anomaly fit dataset --out run --config stormreel.yaml',
  )
    .argument('<source>', 'folder or s3:// address of the dataset')
    .requiredOption(
      '--out <run>',
      'folder of the run: anomaly/, scores.parquet and scores.csv are written there',
    )
    .option(
      '--config <file>',
      'stormreel.yaml; default: that of the run, where it was trained on this dataset',
    )
    .option('--seed <n>', 'default: anomaly.seed of the config')
    .option('--steps <n>', 'optimiser updates; default: anomaly.steps of the config')
    .addOption(backend())
    .action(
      action<FitFlags>(async ({ args: [dataset], flags, out, signal }) => {
        const config = flags.config ? await loadConfig(flags.config) : null;
        const anomaly = overrides(flags);
        await mkdir(resolve(flags.out), { recursive: true }); // before the work, not after it
        await openBackend({ backend: flags.backend, log: out.log });
        const { onProgress, log } = out;
        const input = { dataset, runDir: resolve(flags.out), config, anomaly };
        const found = await anomalyRun({ ...input, onProgress, log, signal });
        out.result(summary(found), text(found));
      }),
    );

function overrides({ seed, steps }: FitFlags): Partial<AnomalyConfig> {
  const given = Object.entries({ seed, steps }).filter(([, value]) => value !== undefined);
  const numbers = Object.fromEntries(given.map(([name, value]) => [name, Number(value)]));
  const checked = check(AnomalyConfig, numbers, 'flags');
  return Object.fromEntries(given.map(([name]) => [name, checked[name as 'seed' | 'steps']]));
}

const score = () =>
  define(
    'score',
    'Score every frame of a dataset with a fitted model',
    'stormreel anomaly score dataset --model run --out scores.parquet',
  )
    .argument('<source>', 'folder or s3:// address of the dataset')
    .requiredOption('--model <run>', 'folder of a run that `stormreel anomaly fit` wrote')
    .requiredOption('--out <file>', 'scores.parquet or scores.csv')
    .addOption(backend())
    .action(
      action<ScoreFlags>(async ({ args: [dataset], flags, out, signal }) => {
        formatOf(flags.out);
        await mkdir(dirname(resolve(flags.out)), { recursive: true });
        await openBackend({ backend: flags.backend, log: out.log });
        const { onProgress, log } = out;
        const input = { dataset, runDir: resolve(flags.model), out: flags.out };
        const found = await scoreRun({ ...input, onProgress, log, signal });
        out.result(summary({ ...found, metrics: [], alarms: [] }), firstLine(found));
      }),
    );

function summary({ out, frames, bad, model, metrics, alarms }: AnomalyRunResult) {
  const { features, fit, threshold } = model;
  const { scores, ...calibration } = model.calibration;
  return {
    out,
    frames,
    bad,
    features,
    fit,
    calibration: { n: scores.length, ...calibration },
    threshold,
    metrics,
    alarms,
  };
}

const firstLine = ({ out, frames, bad }: Pick<AnomalyRunResult, 'out' | 'frames' | 'bad'>): string =>
  `${out}: ${frames} frames, ${bad} of them without a score`;

function text(found: AnomalyRunResult): string {
  const { fit, calibration, threshold } = found.model;
  const figure = (value: number | null) => (value === null ? '  -  ' : value.toFixed(3));
  const smallest = calibration.smallestP === null ? 'none' : calibration.smallestP.toPrecision(2);
  return [
    firstLine(found),
    `learned from ${fit.frames} frames: ${fit.words}`,
    `p-values from ${calibration.words}; smallest possible ${smallest}`,
    threshold
      ? `threshold ${threshold.value.toPrecision(4)}, passed by a calm frame with chance ${threshold.q}: ${threshold.method}`
      : 'no threshold: too few held-out scores',
    ...found.alarms.map(
      ({ alpha, share, frames }) =>
        `${(100 * share).toFixed(1)} % of ${frames} calm test frames have p <= ${alpha}${share > 2 * alpha ? ': p-values do not carry over to the test part' : ''}`,
    ),
    ...found.metrics.map(
      ({ name, auroc, ap }) => `AUROC ${figure(auroc.value)}  AP ${figure(ap.value)}  ${name}`,
    ),
  ].join('\n');
}
