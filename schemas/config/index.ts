/** What a person may write: `stormreel.yaml`, checked once at the edge. */
import * as z from 'zod';
import { IngestConfig } from './ingest.js';
import { LabelsConfig, SplitConfig } from './labels.js';
import { ModelConfig } from './model.js';
import { AnomalyConfig, LabellingConfig, TrainingConfig } from './training.js';

export const RunConfig = z.strictObject({
  /** Title of the report. */
  title: z.string().default('stormreel run'),
  /** A sentence or two for the reader of the report: what the label means, what the split can and cannot show. */
  about: z.string().default(''),
  /** Credits printed in the report, e.g. data licences. */
  attribution: z.array(z.string()).default([]),
  /** Folder of the dataset, relative to the config file. */
  dataset: z.string(),
  /** Folder of the run, relative to the config file. */
  run: z.string(),
  ingest: IngestConfig,
  labels: LabelsConfig,
  split: SplitConfig,
  model: ModelConfig.prefault({}),
  training: TrainingConfig.refine(({ steps, epochs }) => steps === undefined || epochs === undefined, {
    path: ['epochs'],
    message: 'give steps or epochs, not both',
  }).prefault({}),
  labelling: LabellingConfig.refine(
    ({ high, low }) => high === undefined || low === undefined || low <= high,
    { path: ['low'], message: 'is above high: an event begins at high and ends below low' },
  ).prefault({}),
  anomaly: AnomalyConfig.prefault({}),
});
export type RunConfig = z.infer<typeof RunConfig>;

/** Frames that a model of the run sees at once, at most: the embargo of its split is at least as long. */
export function longestWindow({
  training,
  anomaly,
}: {
  training: Pick<TrainingConfig, 'windowLength'>;
  anomaly: Pick<AnomalyConfig, 'windowLength'>;
}): { windowLength: number } {
  return { windowLength: Math.max(training.windowLength, anomaly.windowLength) };
}

export * from './attention.js';
export * from './common.js';
export * from './heads.js';
export * from './ingest.js';
export * from './labels.js';
export * from './model.js';
export * from './training.js';
