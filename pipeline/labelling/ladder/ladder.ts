/**
 * The ladder: what simple scores already know about the label, judged on the same frames and the same draws as the
 * model. A step that does not beat the one below by an interval says so.
 */
import type { Estimate, Rung } from '../../../schemas/records/index.js';
import type { LabelTable } from '../../labels/index.js';
import type { OnProgress } from '../../progress.js';
import { type Split, TEST, TRAIN } from '../../sequences/index.js';
import type { FrameStore } from '../../shards/index.js';
import type { DrawOptions } from '../intervals/draws.js';
import { pairedGain, type Ranked, rankScores } from '../intervals/paired.js';
import { type ResamplingUnits, resamplingUnits } from '../intervals/units.js';
import { judgedFrames } from '../judged.js';
import { labelCells } from './cells.js';
import { simpleScores } from './simple.js';

/** A model's score for every frame of the index; NaN for bad frames. */
export interface ModelScore {
  name: string;
  score: ArrayLike<number>;
}

export interface LadderOptions extends DrawOptions {
  /** West, south, east, north: where the label was counted. Default: the frame, or the tile's inner cells. */
  box?: readonly [number, number, number, number];
  /** 1 for cells where the label was counted, instead of `box`. */
  cells?: Uint8Array;
  /** Default: made from the judged frames by time, or by space for overlapping tiles. */
  units?: ResamplingUnits;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

/** Simple scores learn from the training part alone; every rung is judged on the test part. */
export async function ladder(
  store: FrameStore,
  labels: LabelTable,
  split: Split,
  models: readonly ModelScore[],
  options: LadderOptions = {},
): Promise<Rung[]> {
  const { index, description } = store;
  const train = judgedFrames(index, labels, split.part, [TRAIN]);
  const judged = judgedFrames(index, labels, split.part, [TEST]);
  const cells = options.cells ?? labelCells(description, options.box);
  const { onProgress, signal } = options;
  const simple = await simpleScores({ store, labels, train, test: judged, cells, onProgress, signal });
  const usable = simple.filter(({ score }) => score !== null) as ModelScore[];
  const climbed = [...usable, ...models];
  const test = judged.filter((f) => climbed.every(({ score }) => !Number.isNaN(score[f])));
  const units = options.units ?? resamplingUnits(store, labels, { frames: test });
  const ranked = rankScores(
    climbed.map(({ score }) => Float64Array.from(test, (f) => score[f])),
    Uint8Array.from(test, (f) => labels.label[f]),
    Int32Array.from(test, (f) => units.unit[f]),
    units,
    options,
  );
  const rungs = climbed.map(({ name }, k) => rungOf(name, ranked, k, units));
  const strongest = best(ranked.slice(0, usable.length));
  for (let k = usable.length; k < climbed.length; k++)
    if (strongest >= 0 && strongest !== k - 1)
      rungs[k].strongest = { name: climbed[strongest].name, ...gains(ranked[k], ranked[strongest], units) };
  return [...simple.filter(({ score }) => score === null).map(skippedRung), ...rungs];
}

function rungOf(name: string, ranked: readonly Ranked[], k: number, units: ResamplingUnits): Rung {
  const { auroc, ap } = ranked[k];
  if (k === 0) return { name, auroc, ap, aurocGain: null, apGain: null, verdict: null };
  const { aurocGain, apGain } = gains(ranked[k], ranked[k - 1], units);
  return { name, auroc, ap, aurocGain, apGain, verdict: verdictOf(apGain) };
}

function gains(a: Ranked, b: Ranked, units: ResamplingUnits) {
  return { aurocGain: pairedGain(a, b, 'auroc', units), apGain: pairedGain(a, b, 'ap', units) };
}

function verdictOf({ ci95 }: Estimate): string {
  if (!ci95) return 'not estimable';
  if (ci95[0] > 0) return 'better';
  return ci95[1] < 0 ? 'worse' : 'not better';
}

function best(ranked: readonly Ranked[]): number {
  return ranked.reduce((at, { ap }, k) => ((ap.value ?? -1) > (ranked[at]?.ap.value ?? -1) ? k : at), -1);
}

function skippedRung({ name, skipped }: { name: string; skipped?: string }): Rung {
  const none = { value: null, ci95: null, reason: skipped };
  return { name, auroc: none, ap: none, aurocGain: null, apGain: null, verdict: null, skipped };
}
