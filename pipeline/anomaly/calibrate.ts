/** What is usual: scores of calm frames the model did not learn from, one of each stretch in which scores are alike. */

import { sectors } from '../labelling/index.js';
import type { Random } from '../random.js';
import type { Segment } from '../sequences/index.js';
import type { FrameStore } from '../shards/index.js';
import { smallestP } from './conformal.js';
import { decorrelationLag, thin } from './decorrelation.js';
import { linearQuantile, peaksOverThreshold } from './pareto.js';
import type { AnomalyRecord } from './record.js';

/** Chance at which a calm frame passes the threshold that is printed. */
const THRESHOLD_Q = 0.01;
/** Fewer held-out scores than this give no threshold, fewer exceedances no fitted tail. */
const [LEAST_SCORES, LEAST_TAIL] = [100, 20];
/** The tail begins between these quantiles. */
const [LOWEST_LEVEL, HIGHEST_LEVEL] = [0.9, 0.98];

export interface CalibrateInput {
  store: FrameStore;
  segments: readonly Segment[];
  /** Score of every calibration frame by frame of the index; NaN: none. */
  score: Float64Array;
  /** Calm, held out, ascending. */
  frames: Uint32Array;
  random: Random;
}

export function calibrate({
  store,
  segments,
  score,
  frames,
  random,
}: CalibrateInput): Pick<AnomalyRecord, 'calibration' | 'threshold'> {
  const { index, description } = store;
  const scored = frames.filter((frame) => !Number.isNaN(score[frame]));
  const only = new Float64Array(index.length).fill(Number.NaN);
  for (const frame of scored) only[frame] = score[frame];
  const lag = decorrelationLag(only, segments);
  const group = neighbours(store, scored);
  const blockMs = description.stepMs === null ? null : lag * description.stepMs;
  const kept = thin({ frames: scored, series: index.series, time: index.time, blockMs, group }, random);
  return {
    calibration: {
      scores: Array.from(kept, (frame) => score[frame]).sort((a, b) => a - b),
      frames: scored.length,
      lag,
      smallestP: smallestP(kept.length),
      words: words(kept.length, scored.length, { lag, blockMs, isGrouped: group !== undefined }),
    },
    threshold: threshold(scored, score),
  };
}

/** Blocks of neighbouring tiles where series overlap in place. */
function neighbours({ description, index }: FrameStore, frames: Uint32Array): Int32Array | undefined {
  if (frames.length === 0) return undefined;
  const found = sectors(description, index, new Set(Array.from(frames, (frame) => index.series[frame])));
  return found?.overlap ? found.group : undefined;
}

function words(
  kept: number,
  frames: number,
  { lag, blockMs, isGrouped }: { lag: number; blockMs: number | null; isGrouped: boolean },
): string {
  if (frames === 0) return 'no calm frame was held out: scores have no p-value';
  if (blockMs === null) return `${kept} calm frames without times, each taken as independent`;
  const place = isGrouped ? ' and of neighbouring tiles' : '';
  return `${kept} of ${frames} calm frames: one of each stretch of ${lag} frames${place}, after which the autocorrelation of scores is under 1/e`;
}

/** All held-out scores count: neighbours that are alike blur a quantile but do not shift it. */
function threshold(frames: Uint32Array, score: Float64Array): AnomalyRecord['threshold'] {
  if (frames.length < LEAST_SCORES) return null;
  const scores = Float64Array.from(frames, (frame) => score[frame]).sort();
  const level = Math.min(HIGHEST_LEVEL, 1 - LEAST_TAIL / scores.length);
  const empirical = {
    q: THRESHOLD_Q,
    value: linearQuantile(scores, 1 - THRESHOLD_Q),
    method: `quantile of ${scores.length} held-out scores`,
  };
  const start = linearQuantile(scores, level);
  const above = scores.filter((value) => value > start).length;
  if (level < LOWEST_LEVEL || above < LEAST_TAIL / 2) return empirical; // ties at the start leave no tail
  const { t, nt, zq } = peaksOverThreshold(scores, { q: THRESHOLD_Q, level });
  if (!Number.isFinite(zq)) return empirical;
  const method = `generalised Pareto tail of ${nt} of ${scores.length} held-out scores above ${t.toPrecision(4)}`;
  return { q: THRESHOLD_Q, value: zq, method };
}
