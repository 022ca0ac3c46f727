/** `stormreel label`: a calibrated probability for every frame of a dataset. */
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Option } from 'commander';
import {
  eventFiles,
  formatOf,
  labelFrames,
  labelRun,
  predictionRows,
  priorCalibration,
  writeAttention,
  writeEvents,
  writePredictions,
} from '../pipeline/labelling/index.js';
import { datasetAddress, openDataset } from '../pipeline/shards/index.js';
import { BACKEND_NAMES, type BackendName, openBackend } from '../pipeline/tensor/index.js';
import { loadProvenance, loadSplit, loadTrained } from '../pipeline/training/index.js';
import type { Metrics } from '../schemas/records/index.js';
import { action, define, type Output } from './command.js';
import { loadConfig } from './config.js';

interface Flags {
  model: string;
  out: string;
  attention?: string;
  config?: string;
  evaluate?: boolean;
  backend?: BackendName;
}

export const command = () =>
  define(
    'label',
    'Give every frame a calibrated probability, and find the storms',
    'stormreel label dataset --model run --out predictions.parquet',
  )
    .argument('<dataset>', 'folder or s3:// address of the dataset')
    .requiredOption('--model <run>', 'folder of a run that `stormreel train` wrote')
    .requiredOption('--out <file>', 'predictions.parquet or predictions.csv; events are written beside it')
    .option('--attention <file>', 'where the model looked, as an Arrow file')
    .option(
      '--evaluate',
      'calibrate out of fold (trains a model a fold), evaluate on the test part and compare with simple scores too',
    )
    .option('--config <file>', 'stormreel.yaml to evaluate by; default: what the run was trained with')
    .addOption(
      new Option('--backend <name>', 'tensor backend').choices(BACKEND_NAMES).env('STORMREEL_BACKEND'),
    )
    .action(
      action<Flags>(async ({ args: [dataset], flags, out, signal }) => {
        formatOf(flags.out);
        await mkdir(dirname(resolve(flags.out)), { recursive: true }); // before the work, not after it
        await openBackend({ backend: flags.backend, log: out.log });
        if (flags.config || flags.evaluate) await labelWhole(dataset, flags, out, signal);
        else await labelOnly(dataset, flags, out, signal);
      }),
    );

/** Predictions alone, with the calibration that the run holds. */
async function labelOnly(dataset: string, flags: Flags, out: Output, signal: AbortSignal): Promise<void> {
  const runDir = resolve(flags.model);
  const store = await openDataset(datasetAddress(dataset));
  try {
    const trained = await loadTrained(runDir);
    if (!trained.calibration)
      out.log('the run was never calibrated: threshold 0.5, corrected for the weight of the loss alone');
    const calibration = trained.calibration ?? priorCalibration(trained.prior);
    const options = {
      attention: flags.attention !== undefined,
      onProgress: out.onProgress,
      log: out.log,
      signal,
    };
    const labelled = await labelFrames(trained, store, calibration, options);
    const known = await loadProvenance(runDir).catch(() => null);
    const split = known?.dataset.hash === store.hash ? await loadSplit(runDir) : null;
    const file = resolve(flags.out);
    await writePredictions(file, predictionRows(store, labelled, split));
    await writeEvents(eventFiles(file), labelled.events);
    if (flags.attention && labelled.attention)
      await writeAttention(resolve(flags.attention), store.index, labelled.attention, store.description.grid);
    const { length: frames } = store.index;
    const storm = labelled.predicted.reduce((n, p) => n + p, 0);
    out.result(
      { out: file, frames, storm, events: labelled.events.length },
      `${file}: ${frames} frames, ${storm} of them storm in ${labelled.events.length} events`,
    );
  } finally {
    await store.close();
  }
}

async function labelWhole(dataset: string, flags: Flags, out: Output, signal: AbortSignal): Promise<void> {
  const config = flags.config
    ? await loadConfig(flags.config)
    : (await loadProvenance(resolve(flags.model))).config;
  const input = { dataset, runDir: resolve(flags.model), config, out: flags.out };
  const result = await labelRun({ ...input, onProgress: out.onProgress, log: out.log, signal });
  const { out: file, frames, bad, events, calibration, metrics } = result;
  out.result(
    { out: file, frames, bad, events: events.length, calibration, metrics },
    [`${file}: ${frames} frames (${bad} bad), ${events.length} events`, ...summary(metrics)].join('\n'),
  );
}

function summary({ ladder }: Metrics): string[] {
  const figure = (value: number | null) => (value === null ? '  -  ' : value.toFixed(3));
  return ladder.map(
    ({ name, auroc, ap, verdict, skipped }) =>
      `AUROC ${figure(auroc.value)}  AP ${figure(ap.value)}  ${name}${skipped ? ` (left out: ${skipped})` : verdict ? ` (${verdict})` : ''}`,
  );
}
