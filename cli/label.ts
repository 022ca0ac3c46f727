/** `stormreel label`: a calibrated probability for every frame of a dataset. */
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Option } from 'commander';
import { ConfigError } from '../pipeline/errors.js';
import {
  eventFiles,
  formatOf,
  labelFrames,
  labelRun,
  labelSource,
  predictionRows,
  priorCalibration,
  writeAttention,
  writeEvents,
  writePredictions,
} from '../pipeline/labelling/index.js';
import { datasetAddress, openDataset } from '../pipeline/shards/index.js';
import { BACKEND_NAMES, type BackendName, openBackend } from '../pipeline/tensor/index.js';
import { loadProvenance, loadSplit, loadTrained, type TrainedModel } from '../pipeline/training/index.js';
import type { Calibration, Metrics } from '../schemas/records/index.js';
import { action, define, type Output } from './command.js';
import { loadConfig } from './config.js';
import type { IngestFlags } from './ingestFlags.js';
import { sourceConfig, withSourceFlags } from './sourceFlags.js';

interface Flags extends IngestFlags {
  /** False under --no-store. */
  store: boolean;
  model: string;
  out: string;
  attention?: string;
  config?: string;
  evaluate?: boolean;
  backend?: BackendName;
}

export const command = () =>
  withSourceFlags(label()).action(
    action<Flags>(async ({ args: sources, flags, out, signal }) => {
      formatOf(flags.out);
      if (flags.store) refuseSourceFlags(sources, flags);
      else refuseDatasetFlags(flags);
      await mkdir(dirname(resolve(flags.out)), { recursive: true }); // before the work, not after it
      await openBackend({ backend: flags.backend, log: out.log });
      if (!flags.store) await labelMaps(sources, flags, out, signal);
      else if (flags.config || flags.evaluate) await labelWhole(sources[0], flags, out, signal);
      else await labelOnly(sources[0], flags, out, signal);
    }),
  );

const label = () =>
  define(
    'label',
    'Give every frame a calibrated probability, and find the storms',
    'stormreel label dataset --model run --out predictions.parquet',
  )
    .argument(
      '<dataset...>',
      'folder or s3:// address of the dataset; with --no-store folders, files or globs of maps',
    )
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
    .option('--no-store', 'label maps straight from their files: no dataset is written')
    .addOption(
      new Option('--on-bad-frame <rule>', 'a map that cannot be read, with --no-store').choices([
        'stop',
        'skip',
      ]),
    );

/** ConfigError: flags that need what is not there. */
function refuseDatasetFlags({ evaluate, config, attention }: Flags): void {
  const [flag] = Object.entries({ evaluate, config, attention }).find(([, value]) => value) ?? [];
  if (!flag) return;
  throw new ConfigError(`--${flag} needs a dataset; with --no-store there is none`, {
    hint: 'ingest the maps first: stormreel ingest SOURCE --out DATASET',
    fields: { flag },
  });
}

const SOURCE_FLAGS = [
  'time',
  'series',
  'bands',
  'grid',
  'step',
  'assumeUtc',
  'duplicates',
  'onBadFrame',
] as const;

/** A dataset was read once and for all; a flag that would change nothing is a mistake. */
function refuseSourceFlags(sources: readonly string[], flags: Flags): void {
  const flag = SOURCE_FLAGS.find((name) => flags[name] !== undefined);
  if (!flag && sources.length === 1) return;
  throw new ConfigError(
    flag ? `${flag} says how maps are read, and a dataset is read already` : 'one dataset at a time',
    {
      hint: 'to label maps straight from their files add --no-store',
      fields: { flag: flag ?? null, sources },
    },
  );
}

/** Straight from the files. */
async function labelMaps(sources: string[], flags: Flags, out: Output, signal: AbortSignal): Promise<void> {
  const runDir = resolve(flags.model);
  const trained = await loadTrained(runDir);
  const config = await sourceConfig(sources, runDir, flags);
  const calibration = calibrationOf(trained, out);
  const { onProgress, log } = out;
  const found = await labelSource(trained, calibration, config, { onProgress, log, signal });
  const file = resolve(flags.out);
  await writePredictions(file, predictionRows(found.store, found.labelled, null));
  await writeEvents(eventFiles(file), found.labelled.events);
  const { bad, rejected, labelled } = found;
  for (const { path, tag, reason } of rejected.slice(0, 20)) log(`left out: ${path}: ${tag}: ${reason}`);
  const frames = found.store.index.length;
  const storm = labelled.predicted.reduce((n, p) => n + p, 0);
  const events = labelled.events.length;
  out.result(
    { out: file, frames, bad, rejected: rejected.length, storm, events },
    `${file}: ${frames} frames (${bad} bad), ${storm} of them storm in ${events} events; ${rejected.length} files left out`,
  );
}

function calibrationOf({ calibration, prior }: TrainedModel, out: Output): Calibration {
  if (!calibration)
    out.log('the run was never calibrated: threshold 0.5, corrected for the weight of the loss alone');
  return calibration ?? priorCalibration(prior);
}

/** Predictions alone, with the calibration that the run holds. */
async function labelOnly(dataset: string, flags: Flags, out: Output, signal: AbortSignal): Promise<void> {
  const runDir = resolve(flags.model);
  const store = await openDataset(datasetAddress(dataset));
  try {
    const trained = await loadTrained(runDir);
    const calibration = calibrationOf(trained, out);
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
      await writeAttention(
        resolve(flags.attention),
        store.index,
        labelled.attention,
        store.description.grid,
        labelled.taps,
      );
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
