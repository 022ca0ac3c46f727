/**
 * Reads a run folder into what a page is made from. Whatever is not there, or cannot be read, is null and stands in
 * `missing` with the command that makes it.
 *
 *   const data = await loadReport('run');
 *   await writeFile('report.html', await buildPage(data));
 *   await data.store?.close();
 */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import type { RunConfig } from '../../schemas/config/index.js';
import { Metrics, type ScoreRow } from '../../schemas/records/index.js';
import { ConfigError } from '../errors.js';
import { framesOf, readAttention, readEvents, readPredictions } from '../labelling/index.js';
import { loadLabels } from '../labels/index.js';
import { type Dataset, openDataset } from '../shards/index.js';
import { loadProvenance, loadSplit, type Provenance } from '../training/index.js';
import { alignAttention, alignPredictions, alignScores } from './align.js';
import type { Missing, ReportData, ReportSplit, TrainingStep } from './data.js';
import { factsOf } from './facts.js';

/** What a person says of the run; default: as it was when the run was trained. */
export type ReportWords = Pick<RunConfig, 'title' | 'about' | 'attribution'>;

/** @throws ConfigError when the folder holds nothing of a run. */
export async function loadReport(runDir: string, words?: ReportWords): Promise<ReportData> {
  const run = resolve(runDir);
  const at = (name: string) => join(run, name);
  const missing: Missing[] = [];
  const provenance = await loadProvenance(run).catch(() => null);
  const path = provenance?.dataset.path ?? 'DATASET';
  const label = `stormreel label ${path} --model ${run} --out ${at('predictions.parquet')}`;
  /** The piece, or null with its reason and cure. */
  async function piece<T>(name: Missing['piece'], read: () => Promise<T>, cure: string): Promise<T | null> {
    try {
      return await read();
    } catch (error) {
      missing.push({ piece: name, reason: reasonOf(error), cure });
      return null;
    }
  }
  const store = await piece(
    'dataset',
    () => openFor(run, provenance),
    `stormreel ingest SOURCE --out ${path}`,
  );
  const rows = await piece('predictions', () => predictionsOf(run), label);
  if (!provenance && !store && !rows) throw nothingHere(run);
  const known = store ?? (rows ? framesOf(rows) : null);
  const index = known?.index ?? null;
  const aligned = <T>(name: Missing['piece'], read: () => Promise<T>, cure: string) =>
    index === null ? null : piece(name, read, cure);
  const labels =
    store &&
    (await piece(
      'labels',
      () => loadLabels(store.dir, store, provenance?.labels.source),
      `stormreel ingest SOURCE --out ${path} --labels FILE`,
    ));
  const train = `stormreel train ${path} --out ${run}`;
  const split = await aligned('split', () => splitFor(run, index!.length), train);
  const scores = await aligned(
    'scores',
    async () => alignScores(index!, await scoreRows(at('scores.parquet'))),
    `stormreel anomaly fit ${path} --out ${run}`,
  );
  const attention = await aligned(
    'attention',
    async () => alignAttention(index!, await readAttention(at('attention.arrow'))),
    `${label} --attention ${at('attention.arrow')}`,
  );
  const { title = basename(run), about = '', attribution = [] } = words ?? provenance?.config ?? {};
  return {
    title,
    about,
    attribution,
    run,
    index,
    store,
    labels,
    split,
    predictions: rows && index ? alignPredictions(index, rows) : null,
    scores,
    events: await piece('events', () => readEvents(at('events.csv')), label),
    metrics: await piece('metrics', () => metricsOf(at('metrics.json')), `${label} --config stormreel.yaml`),
    log: await piece('log', () => logOf(at('log.jsonl')), train),
    attention,
    provenance,
    facts: await factsOf(run),
    missing,
  };
}

function nothingHere(run: string): ConfigError {
  return new ConfigError(`cannot report on ${run}: it holds neither a config.json nor predictions`, {
    hint: 'give the folder of a run: stormreel train DATASET --out RUN',
    fields: { run },
  });
}

/** Text for the reader: a missing file is said in words. */
function reasonOf(error: unknown): string {
  const { code, path, message } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? `${path ? basename(path) : 'The file'} is not there.` : message;
}

/** The dataset where the run says it is, else beside the run: folders are moved together. */
async function openFor(run: string, provenance: Provenance | null): Promise<Dataset> {
  const stored = provenance?.dataset.path ?? join(dirname(run), 'dataset');
  try {
    return await openDataset(stored);
  } catch (error) {
    return await openDataset(join(dirname(run), basename(stored))).catch(() => {
      throw error;
    });
  }
}

async function predictionsOf(run: string) {
  return readPredictions(join(run, 'predictions.parquet')).catch((error) =>
    readPredictions(join(run, 'predictions.csv')).catch(() => {
      throw error;
    }),
  );
}

async function splitFor(run: string, frames: number): Promise<ReportSplit> {
  const { part, config, hash, embargoMs, leaky, notes } = await loadSplit(run);
  if (part.length === frames) return { part, by: config.by, hash, embargoMs, leaky, notes };
  throw new ConfigError(`the split is of ${part.length} frames; the dataset now has ${frames}`, {
    hint: 'train again on the dataset as it is',
  });
}

async function scoreRows(path: string): Promise<ScoreRow[]> {
  return (await parquetReadObjects({ file: await asyncBufferFromFile(path) })) as ScoreRow[];
}

/** Each part by itself, so that a run may hold some of them. */
async function metricsOf(path: string): Promise<Partial<Metrics>> {
  return Metrics.partial()
    .strip()
    .parse(JSON.parse(await readFile(path, 'utf8')));
}

/** Whole lines; a torn last one is left out. */
async function logOf(path: string): Promise<TrainingStep[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line) as TrainingStep];
    } catch {
      return [];
    }
  });
}
