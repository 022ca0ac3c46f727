/**
 * The anomaly step of a run: model, scores of every frame, and how they rank the storms of the test part.
 *
 *   await anomalyRun({ dataset, runDir, config, onProgress, signal });
 */
import { join, resolve } from 'node:path';
import type { RunConfig } from '../../schemas/config/index.js';
import { AnomalyConfig } from '../../schemas/config/index.js';
import type { Metrics } from '../../schemas/records/index.js';
import { isStormreelError } from '../errors.js';
import { splitOf, writeMetrics } from '../labelling/index.js';
import { type LabelTable, loadLabels } from '../labels/index.js';
import type { OnProgress } from '../progress.js';
import type { Split } from '../sequences/index.js';
import { datasetAddress, type FrameStore, openDataset } from '../shards/index.js';
import { dispose, openBackend } from '../tensor/index.js';
import { loadProvenance, loadSplit } from '../training/index.js';
import { scoreRows, writeScores } from './files.js';
import { fitAnomaly } from './fit.js';
import { anomalyAlarms, anomalyMetrics } from './metrics.js';
import type { AnomalyRecord } from './record.js';
import { loadAnomaly, loadAnomalyRecord, saveAnomaly } from './saved.js';
import { scoreFrames } from './score.js';

interface Shared {
  /** Folder of the dataset. */
  dataset: string;
  runDir: string;
  onProgress?: OnProgress;
  log?: (line: string) => void;
  signal?: AbortSignal;
}

export interface AnomalyRunInput extends Shared {
  /** Null: that of the run, where it was trained on this dataset; else defaults, every frame to learn from. */
  config: RunConfig | null;
  /** On top of the config's anomaly section. */
  anomaly?: Partial<AnomalyConfig>;
}

export interface AnomalyRunResult {
  /** scores.parquet; scores.csv lies beside it. */
  out: string;
  frames: number;
  /** Frames without a score. */
  bad: number;
  model: AnomalyRecord;
  metrics: NonNullable<Metrics['anomaly']>;
  alarms: NonNullable<Metrics['anomalyAlarms']>;
}

/** Fits and scores; running it again gives the same files. @throws ConfigError when too few frames are left to learn from. */
export async function anomalyRun(input: AnomalyRunInput): Promise<AnomalyRunResult> {
  await openBackend();
  const store = await openDataset(datasetAddress(input.dataset));
  try {
    const config = input.config ?? (await knownConfig(input, store));
    const labels = await labelsOf(input, store, config);
    const split = labels && config && (await splitOf({ ...input, config }, store, labels));
    if (!split) input.log?.('no split is known: the model learns from frames of the whole dataset');
    return await fitAndScore(input, { store, config, labels, split });
  } finally {
    await store.close();
  }
}

interface Prepared {
  store: FrameStore;
  config: RunConfig | null;
  labels: LabelTable | null;
  split: Split | null;
}

async function fitAndScore(
  { runDir, anomaly, onProgress, signal }: AnomalyRunInput,
  { store, config, labels, split }: Prepared,
): Promise<AnomalyRunResult> {
  const own = { ...(config?.anomaly ?? AnomalyConfig.parse({})), ...anomaly };
  const channels = config?.model.channels;
  const fitted = await fitAnomaly({ store, labels, split, config: own, channels, onProgress, signal });
  const { model, features } = fitted;
  try {
    const scores = await scoreFrames(model, store, { features, onProgress, signal });
    await saveAnomaly(runDir, model);
    const rows = scoreRows(store, scores, split);
    const out = join(runDir, 'scores.parquet');
    await writeScores(out, rows);
    await writeScores(join(runDir, 'scores.csv'), rows);
    const judged = labels && split && { store, labels, split, model, scores };
    const metrics = judged ? anomalyMetrics(judged) : [];
    const alarms = judged ? anomalyAlarms(judged) : [];
    await writeMetrics(runDir, { anomaly: metrics, anomalyAlarms: alarms });
    const bad = rows.filter(({ score }) => score === null).length;
    return { out, frames: rows.length, bad, model: await loadAnomalyRecord(runDir), metrics, alarms };
  } finally {
    dispose(model.parameters);
  }
}

/** Scores every frame of a dataset with the model of a run and writes them to `out` (.parquet or .csv). */
export async function scoreRun(
  input: Shared & { out: string },
): Promise<Pick<AnomalyRunResult, 'out' | 'frames' | 'bad' | 'model'>> {
  const { runDir, onProgress, signal } = input;
  await openBackend();
  const store = await openDataset(datasetAddress(input.dataset));
  try {
    const { parameters, components, ...model } = await loadAnomaly(runDir);
    try {
      const scores = await scoreFrames({ ...model, parameters, components }, store, { onProgress, signal });
      const known = await loadProvenance(runDir).catch(() => null);
      const split = known?.dataset.hash === store.hash ? await loadSplit(runDir) : null;
      const rows = scoreRows(store, scores, split);
      await writeScores(resolve(input.out), rows);
      const bad = rows.filter(({ score }) => score === null).length;
      return { out: resolve(input.out), frames: rows.length, bad, model };
    } finally {
      dispose(parameters);
    }
  } finally {
    await store.close();
  }
}

/** What the run was trained with, where that was on the same frames. */
async function knownConfig({ runDir }: Shared, { hash }: FrameStore): Promise<RunConfig | null> {
  const known = await loadProvenance(runDir).catch(() => null);
  return known?.dataset.hash === hash ? known.config : null;
}

/** Null where the dataset has no labels and no config asks for any. */
async function labelsOf(
  { dataset, log }: Shared,
  store: FrameStore,
  config: RunConfig | null,
): Promise<LabelTable | null> {
  try {
    return await loadLabels(datasetAddress(dataset), store, config?.labels.source);
  } catch (error) {
    const isWithout = isStormreelError(error) && error.tag === 'ConfigError' && !('sources' in error.fields);
    if (config || !isWithout) throw error;
    log?.('the dataset has no labels: every frame counts as calm');
    return null;
  }
}
