/**
 * All that a run says about its frames: calibration out of fold, predictions, storms, evaluation on the test part, the
 * ladder. Running it again gives the same files; finished folds are kept in run/calibration and not trained again.
 *
 *   await labelRun({ dataset, runDir, config, onProgress, signal });
 */
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { longestWindow, type RunConfig } from '../../schemas/config/index.js';
import {
  type Calibration,
  type EventRow,
  type Metrics,
  PARTS,
  type PredictionRow,
} from '../../schemas/records/index.js';
import { ConfigError } from '../errors.js';
import { type LabelTable, loadLabels } from '../labels/index.js';
import { headWords } from '../models/index.js';
import type { OnProgress } from '../progress.js';
import { makeSplit, type Split, TEST, TRAIN, VALIDATION } from '../sequences/index.js';
import { datasetAddress, type FrameStore, openDataset } from '../shards/index.js';
import { dispose, openBackend } from '../tensor/index.js';
import {
  fitModel,
  loadProvenance,
  loadSplit,
  loadTrained,
  saveRecord,
  saveTrained,
  type TrainedModel,
} from '../training/index.js';
import { sigmoid } from './calibration/calibrate.js';
import { calibrateModel } from './calibration/calibrateModel.js';
import { perFrameLogits } from './calibration/perFrame.js';
import { evaluateScores } from './evaluate.js';
import { writeAttention } from './files/attention.js';
import { writeWhole } from './files/csv.js';
import { writeEvents } from './files/events.js';
import { writePredictions } from './files/predictions.js';
import { formatOf } from './files/rows.js';
import { resamplingUnits } from './intervals/units.js';
import { judgedFrames } from './judged.js';
import { type Labelled, labelFrames } from './labelFrames.js';
import { ladder } from './ladder/ladder.js';
import { noSeason, seasonClimatology } from './ladder/season.js';

export interface LabelRunInput {
  /** Folder of the dataset. */
  dataset: string;
  runDir: string;
  config: RunConfig;
  /** Predictions file; default `predictions.parquet` in the run. The other format is written beside it. */
  out?: string;
  onProgress?: OnProgress;
  log?: (line: string) => void;
  signal?: AbortSignal;
}

export interface LabelRunResult {
  out: string;
  frames: number;
  bad: number;
  events: EventRow[];
  calibration: Calibration;
  metrics: Metrics;
}

/** @throws ModelMismatchError when the dataset has other bands or another grid than the model. */
export async function labelRun(input: LabelRunInput): Promise<LabelRunResult> {
  await openBackend();
  const store = await openDataset(datasetAddress(input.dataset));
  try {
    const labels = await loadLabels(datasetAddress(input.dataset), store, input.config.labels.source);
    const split = await splitOf(input, store, labels);
    return await labelWith({ ...input, store, labels, split });
  } finally {
    await store.close();
  }
}

export interface LabelWithInput extends LabelRunInput {
  store: FrameStore;
  labels: LabelTable;
  split: Split;
}

async function labelWith(input: LabelWithInput): Promise<LabelRunResult> {
  const { store, runDir, config, onProgress, signal } = input;
  refuseBlindRefit(config);
  let trained = await loadTrained(runDir);
  let calibration = await calibrateModel(input, trained);
  if (config.labelling.refit) {
    trained = await refit(input, trained);
    const fittedOn = `${calibration.fittedOn}; then trained again on all non-test frames`;
    calibration = { ...calibration, prior: trained.prior, fittedOn };
  }
  const labelled = await labelFrames(trained, store, calibration, {
    attention: config.labelling.attention,
    onProgress,
    log: input.log,
    signal,
  });
  const out = resolve(input.out ?? join(runDir, 'predictions.parquet'));
  await writeAll(input, labelled, out);
  const metrics = await measure(input, trained, labelled);
  await writeMetrics(runDir, metrics);
  await saveRecord(runDir, { ...trained, calibration });
  for (const member of trained.members) dispose(member);
  const bad = store.index.ok.reduce((n, ok) => n + Number(ok === 0), 0);
  return { out, frames: store.index.length, bad, events: labelled.events, calibration, metrics };
}

/** The split the model was trained with where the data are the same, else the configured one. */
export async function splitOf(
  { runDir, config, log }: Pick<LabelRunInput, 'runDir' | 'config' | 'log'>,
  store: FrameStore,
  labels: LabelTable,
): Promise<Split> {
  const known = await loadProvenance(runDir).catch(() => null);
  if (known?.dataset.hash === store.hash && known.labels.hash === labels.hash) return loadSplit(runDir);
  if (known)
    log?.('the dataset or its labels changed since training: the split is made anew from the config');
  return makeSplit(store, labels, config.split, longestWindow(config));
}

/** The same configuration on all non-test frames; the number of steps is fixed, so nothing needs a validation part. */
async function refit(input: LabelWithInput, old: TrainedModel): Promise<TrainedModel> {
  const { store, labels, split, runDir, onProgress, signal } = input;
  for (const member of old.members) dispose(member);
  const training = { ...old.training, patience: undefined };
  const base = { store, labels, split, model: old.config, training, onProgress, signal };
  const folder = join(runDir, 'calibration', 'refit');
  const trained = await fitModel({
    ...base,
    frames: [TRAIN, VALIDATION],
    checkpointDir: folder,
    resume: true,
  });
  const whole = { ...trained, training: old.training };
  await saveTrained(runDir, whole);
  return whole;
}

/** After a refit no frame is left to calibrate on but those out of fold. */
function refuseBlindRefit({ labelling: { refit, calibrationFolds } }: RunConfig): void {
  if (!refit || calibrationFolds >= 2) return;
  throw new ConfigError(
    'labelling.refit needs calibration out of fold: the refit model has seen all other frames',
    {
      hint: 'set labelling.calibrationFolds: 3, or labelling.refit: false',
      fields: { refit, calibrationFolds },
    },
  );
}

async function writeAll(
  { store, split, runDir }: LabelWithInput,
  labelled: Labelled,
  out: string,
): Promise<void> {
  const rows = predictionRows(store, labelled, split);
  await writePredictions(out, rows);
  const other = formatOf(out) === 'csv' ? out.replace(/csv$/i, 'parquet') : out.replace(/parquet$/i, 'csv');
  await writePredictions(other, rows);
  await writeEvents(eventFiles(out), labelled.events);
  if (labelled.attention)
    await writeAttention(
      join(runDir, 'attention.arrow'),
      store.index,
      labelled.attention,
      store.description.grid,
      labelled.taps,
    );
}

/** `events.csv` beside `predictions.*`, else `NAME.events.csv` beside `NAME.*`. */
export function eventFiles(out: string): { csv: string; geojson: string } {
  const stem = out.replace(/^.*[\\/]/, '').replace(/\.[^.]*$/, '');
  const name = join(dirname(out), stem === 'predictions' ? 'events' : `${stem}.events`);
  return { csv: `${name}.csv`, geojson: `${name}.geojson` };
}

/** `split` null: no frame belongs to a part. */
export function predictionRows(
  store: Pick<FrameStore, 'index'>,
  labelled: Labelled,
  split: Split | null,
): PredictionRow[] {
  const { index } = store;
  const finite = (value: number) => (Number.isNaN(value) ? null : value);
  return Array.from(index.time, (time, f) => ({
    series: index.seriesNames[index.series[f]],
    time,
    logit: finite(labelled.logit[f]),
    probability: finite(labelled.probability[f]),
    predicted: Number.isNaN(labelled.logit[f]) ? null : (labelled.predicted[f] as 0 | 1),
    event_id: labelled.event[f] > 0 ? labelled.event[f] : null,
    split: split ? PARTS[split.part[f]] : 'none',
    context: labelled.context[f],
  }));
}

async function measure(input: LabelWithInput, trained: TrainedModel, labelled: Labelled): Promise<Metrics> {
  const { store, labels, split, config, onProgress, signal } = input;
  const { index, description } = store;
  const { stepMs } = description;
  const climatology = reference(store, labels, judgedFrames(index, labels, split.part, [TRAIN]));
  const evaluations: Metrics['evaluations'] = {};
  // A refit model has been trained on the validation part.
  for (const part of config.labelling.refit ? [TEST] : [VALIDATION, TEST]) {
    const frames = judgedFrames(index, labels, split.part, [part]);
    if (frames.length === 0) continue;
    const units = resamplingUnits(store, labels, { frames });
    const scores = { ...labelled, score: labelled.logit, climatology, units };
    evaluations[PARTS[part]] = evaluateScores({ index, stepMs, labels, frames, ...scores });
  }
  if (!split.part.includes(TEST)) return { evaluations, ladder: [] };
  const own = { name: modelName(trained), score: labelled.logit };
  const perFrame = await perFrameLogits(input, trained);
  const models = perFrame
    ? [{ name: `${trained.config.encoder.kind} model, each frame alone`, score: perFrame }, own]
    : [own];
  const { box } = config.labelling;
  return { evaluations, ladder: await ladder(store, labels, split, models, { box, onProgress, signal }) };
}

function modelName({ config, seeds }: TrainedModel): string {
  const head = config.head.kind === 'none' ? ', ' : ' + ';
  return `${config.encoder.kind} model${head}${headWords(config.head)}${seeds.length > 1 ? `, mean of ${seeds.length} seeds` : ''}`;
}

/** The reference of the Brier skill, from training labels alone. */
function reference({ description, index }: FrameStore, labels: LabelTable, train: Uint32Array) {
  if (noSeason(description, index, train) === null)
    return {
      value: seasonClimatology(index, labels.label, train).map(sigmoid),
      words: 'frequency at each time of the year in the training part',
    };
  const positives = train.reduce((n, f) => n + labels.label[f], 0);
  return { value: positives / (train.length || 1), words: 'base rate of the training part' };
}

/** Keeps what other steps put into metrics.json. */
export async function writeMetrics(runDir: string, metrics: Partial<Metrics>): Promise<void> {
  const path = join(runDir, 'metrics.json');
  const before = await readFile(path, 'utf8').then(JSON.parse, () => ({}));
  await writeWhole(
    path,
    `${JSON.stringify({ evaluations: {}, ladder: [], ...before, ...metrics }, null, 1)}\n`,
  );
}
