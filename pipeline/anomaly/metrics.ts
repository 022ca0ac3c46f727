/** Does strangeness point to storms? Each score against the labels of the test part, which nothing was fitted on. */
import type { Metrics } from '../../schemas/records/index.js';
import { type DrawOptions, judgedFrames, rankScores, resamplingUnits } from '../labelling/index.js';
import type { LabelTable } from '../labels/index.js';
import { type Split, TEST } from '../sequences/index.js';
import type { FrameStore } from '../shards/index.js';
import type { AnomalyModel } from './record.js';
import type { AnomalyScores } from './score.js';

export interface AnomalyMetricsInput {
  store: FrameStore;
  labels: LabelTable;
  split: Split;
  model: Pick<AnomalyModel, 'config' | 'channels'>;
  scores: AnomalyScores;
}

/**
 * AUROC and average precision with intervals over the project's resampling units. All scores are judged on the same
 * frames, those where each is defined; one that is defined nowhere is null. Empty without labelled test frames.
 */
export function anomalyMetrics(
  { store, labels, split, model, scores }: AnomalyMetricsInput,
  options: DrawOptions = {},
): NonNullable<Metrics['anomaly']> {
  const judged = judgedFrames(store.index, labels, split.part, [TEST]);
  const all = [
    { name: `sequence autoencoder (${model.config.cell.toUpperCase()})`, score: scores.score },
    { name: 'PCA residual', score: scores.pca },
    { name: 'persistence', score: scores.persistence },
    { name: model.channels.config.laplacian ? 'norm of the Laplacian' : 'norm', score: scores.norm },
  ];
  const defined = all.filter(({ score }) => judged.some((frame) => Number.isFinite(score[frame])));
  const frames = judged.filter((frame) => defined.every(({ score }) => Number.isFinite(score[frame])));
  if (judged.length === 0) return [];
  const units = resamplingUnits(store, labels, { frames });
  const of = (values: ArrayLike<number>) => Array.from(frames, (frame) => values[frame]);
  const own = of(units.unit);
  const ranked = rankScores(
    defined.map(({ score }) => of(score)),
    of(labels.label),
    own,
    units,
    options,
  );
  const missing = { value: null, ci95: null, reason: 'no test frame has this score' };
  return all.map((entry) => {
    const found = ranked[defined.indexOf(entry)];
    return { name: entry.name, auroc: found?.auroc ?? missing, ap: found?.ap ?? missing };
  });
}

/** Chances at which false alarms are counted, where p-values reach that far. */
const ALPHAS = [0.05, 0.1, 0.2];

/**
 * How often calm frames of the test part are called strange; it should be about `alpha`, of which those below the smallest
 * p-value of the model are left out. Nothing is fitted on this.
 */
export function anomalyAlarms({
  store,
  labels,
  split,
  model,
  scores: { p },
}: Pick<AnomalyMetricsInput, 'store' | 'labels' | 'split' | 'scores'> & {
  model: Pick<AnomalyModel, 'calibration'>;
}): NonNullable<Metrics['anomalyAlarms']> {
  const judged = judgedFrames(store.index, labels, split.part, [TEST]);
  const calm = judged.filter((frame) => labels.label[frame] === 0 && Number.isFinite(p[frame]));
  if (calm.length === 0) return [];
  const least = model.calibration.smallestP ?? Infinity;
  return ALPHAS.filter((alpha) => alpha >= least).map((alpha) => {
    const alarms = calm.filter((frame) => p[frame] <= alpha).length;
    return { alpha, share: alarms / calm.length, frames: calm.length };
  });
}
