/**
 * Predictions against labels: every measure with its interval, or null with the reason. All measures see the same
 * bootstrap draws, and sums are kept by unit, so that a draw costs one pass over the ranking and one over the units.
 *
 *   const evaluation = evaluateScores({ index, stepMs, labels, frames, score: logit, probability, units });
 */
import type { Estimate, Evaluation } from '../../schemas/records/index.js';
import type { LabelTable } from '../labels/index.js';
import type { Segment } from '../sequences/index.js';
import { segments } from '../sequences/index.js';
import type { FrameIndex } from '../shards/index.js';
import { DRAWS, type DrawOptions, eachDraw, estimate } from './intervals/draws.js';
import type { ResamplingUnits } from './intervals/units.js';
import { CONTINGENCY_REASONS, type ContingencyMetrics, contingencyMetrics } from './metrics/contingency.js';
import { eventSums } from './metrics/eventSums.js';
import { binOf, equalMassEdges, equalWidthEdges, logLossOf, reliability } from './metrics/probability.js';
import { curves, rank, rankMetrics } from './metrics/ranking.js';

export interface ScoresInput {
  index: FrameIndex;
  stepMs: number | null;
  labels: Pick<LabelTable, 'label' | 'event'>;
  /** Judged frames, ascending; those whose score is NaN are left out. */
  frames: ArrayLike<number>;
  /** Per frame of the index, any scale, larger is stormier. */
  score: ArrayLike<number>;
  /** Per frame of the index; null or absent: measures of probability are null. */
  probability?: ArrayLike<number> | null;
  /** Per frame of the index, 1 storm; default: probability >= 0.5. */
  predicted?: ArrayLike<number> | null;
  /** Reference of the Brier skill: a probability or one a frame of the index; default: the judged frames' base rate. */
  climatology?: { value: number | ArrayLike<number>; words: string };
  /** Per frame of the index, see `resamplingUnits`; null: no intervals. */
  units?: ResamplingUnits | null;
}

export function evaluateScores(input: ScoresInput, options: DrawOptions = {}): Evaluation {
  const entries = gather(input);
  const { label, probability, predicted, n } = entries;
  const ranking = rank(entries.score, label);
  const sums = unitSums(input, entries);
  const whole = { ...rankMetrics(ranking), ...fromSums(sums.total, sums) };
  const drawn = drawAll(whole, options, input.units ?? null, (counts) => ({
    ...rankMetrics(ranking, sums.sortedUnit(ranking.order), counts),
    ...fromSums(sums.drawn(counts), sums),
  }));
  const of = (key: Key, reason: string): Estimate =>
    estimate(whole[key], drawn?.[key] ?? null, input.units ?? null, reason);
  const noProbability = n === 0 ? 'no judged frame' : 'the predictions hold no probability';
  const contingency = (key: keyof ContingencyMetrics) =>
    of(key, predicted ? CONTINGENCY_REASONS[key] : 'the predictions hold no class');
  return {
    n,
    positives: sums.total[1],
    events: sums.total[SUM.truth],
    intervals: input.units?.words ?? 'none',
    climatology: input.climatology?.words ?? 'the base rate of the judged frames themselves',
    auroc: of('auroc', 'one class only'),
    ap: of('ap', 'no storm frame'),
    brier: of('brier', noProbability),
    bss: of('bss', probability ? 'the reference is perfect: one class only' : noProbability),
    logLoss: of('logLoss', noProbability),
    eceEqualWidth: of('eceEqualWidth', noProbability),
    eceEqualMass: of('eceEqualMass', noProbability),
    ece: of('eceEqualWidth', noProbability),
    pod: contingency('pod'),
    far: contingency('far'),
    pofd: contingency('pofd'),
    csi: contingency('csi'),
    bias: contingency('bias'),
    hss: contingency('hss'),
    ets: contingency('ets'),
    pss: contingency('pss'),
    sedi: contingency('sedi'),
    counts: countsIn(sums.total),
    eventScores: {
      pod: of('eventPod', 'no labelled event'),
      precision: of('eventPrecision', 'no predicted event'),
      f1: of('eventF1', 'no event, labelled or predicted'),
      falseEvents: sums.total[SUM.predicted] - sums.total[SUM.matched],
      onsetErrorHours: of('onset', 'no labelled event was met'),
    },
    curves: { ...curves(ranking), reliability: probability ? reliability(probability, label) : [] },
  };
}

interface Entries {
  n: number;
  frames: Uint32Array;
  label: Uint8Array;
  score: Float64Array;
  probability: Float64Array | null;
  predicted: Uint8Array | null;
  reference: Float64Array;
}

/** Judged entries, dense. */
function gather({ labels, frames, score, probability, predicted, climatology }: ScoresInput): Entries {
  const kept = Uint32Array.from(frames).filter((f) => !Number.isNaN(score[f]) && labels.label[f] >= 0);
  const label = Uint8Array.from(kept, (f) => labels.label[f]);
  const p = probability ? Float64Array.from(kept, (f) => probability[f]) : null;
  const rate = label.reduce((sum, y) => sum + y, 0) / (label.length || 1);
  const reference = climatology?.value ?? rate;
  return {
    n: kept.length,
    frames: kept,
    label,
    score: Float64Array.from(kept, (f) => score[f]),
    probability: p,
    predicted: predicted
      ? Uint8Array.from(kept, (f) => (predicted[f] === 1 ? 1 : 0))
      : p && Uint8Array.from(p, (x) => (x >= 0.5 ? 1 : 0)),
    reference: Float64Array.from(kept, (f) => (typeof reference === 'number' ? reference : reference[f])),
  };
}

/** Columns of the sums; bins of equal width and of equal mass follow, three columns each: n, probability, observed. */
const SUM = {
  n: 0,
  positives: 1,
  brier: 2,
  reference: 3,
  logLoss: 4,
  tp: 5,
  fp: 6,
  fn: 7,
  tn: 8,
  truth: 9,
  predicted: 10,
  matched: 11,
  onset: 12,
} as const;
const BINS_FROM = 13;

interface Sums {
  total: Float64Array;
  widthBins: number;
  massBins: number;
  hasProbability: boolean;
  hasClass: boolean;
  drawn(counts: Uint16Array): Float64Array;
  /** Unit of each entry in ranked order. */
  sortedUnit(order: Uint32Array): Int32Array;
}

function unitSums(input: ScoresInput, entries: Entries): Sums {
  const { n, label, probability, predicted, reference, frames } = entries;
  const width = equalWidthEdges();
  const mass = equalMassEdges(probability ?? []);
  const [widthBins, massBins] = [width.length - 1, mass.length - 1];
  const columns = BINS_FROM + 3 * (widthBins + massBins);
  const unit = Int32Array.from(frames, (f) => input.units?.unit[f] ?? 0);
  const count = input.units?.count ?? 1;
  const sums = new Float64Array(count * columns);
  const bin = (row: number, at: number, p: number, y: number) => {
    sums[row + at]++;
    sums[row + at + 1] += p;
    sums[row + at + 2] += y;
  };
  for (let i = 0; i < n; i++) {
    const row = unit[i] * columns;
    const y = label[i];
    sums[row + SUM.n]++;
    sums[row + SUM.positives] += y;
    if (predicted) sums[row + (predicted[i] ? (y ? SUM.tp : SUM.fp) : y ? SUM.fn : SUM.tn)]++;
    if (!probability) continue;
    const p = probability[i];
    sums[row + SUM.brier] += (p - y) ** 2;
    sums[row + SUM.reference] += (reference[i] - y) ** 2;
    sums[row + SUM.logLoss] += logLossOf(p, y);
    bin(row, BINS_FROM + 3 * binOf(width, p), p, y);
    bin(row, BINS_FROM + 3 * (widthBins + binOf(mass, p)), p, y);
  }
  const own: readonly Segment[] = segments(input.index, input.stepMs);
  eventSums({ ...input, segments: own, frames, predicted }).forEach(({ frame, kind, onsetHours }) => {
    const row = (input.units?.unit[frame] ?? 0) * columns;
    sums[row + SUM[kind]]++;
    if (onsetHours !== undefined) sums[row + SUM.onset] += onsetHours;
  });
  const weighted = (counts: ArrayLike<number>) => {
    const total = new Float64Array(columns);
    for (let u = 0; u < count; u++) {
      const weight = counts[u];
      if (weight) for (let c = 0, at = u * columns; c < columns; c++, at++) total[c] += weight * sums[at];
    }
    return total;
  };
  let sorted: Int32Array | undefined;
  return {
    total: weighted(new Uint8Array(count).fill(1)),
    widthBins,
    massBins,
    hasProbability: probability !== null,
    hasClass: predicted !== null,
    drawn: weighted,
    sortedUnit: (order) => (sorted ??= Int32Array.from(order, (at) => unit[at])),
  };
}

type Key =
  | 'auroc'
  | 'ap'
  | 'brier'
  | 'bss'
  | 'logLoss'
  | 'eceEqualWidth'
  | 'eceEqualMass'
  | keyof ContingencyMetrics
  | 'eventPod'
  | 'eventPrecision'
  | 'eventF1'
  | 'onset';

function fromSums(s: Float64Array, { widthBins, massBins, hasProbability, hasClass }: Sums) {
  const n = s[SUM.n];
  const ofProbability = (value: number) => (hasProbability && n > 0 ? value : null);
  const ece = (from: number, bins: number) => {
    let sum = 0;
    for (let b = 0; b < bins; b++) sum += Math.abs(s[from + 3 * b + 1] - s[from + 3 * b + 2]);
    return ofProbability(sum / n);
  };
  const { truth, predicted, matched } = {
    truth: s[SUM.truth],
    predicted: s[SUM.predicted],
    matched: s[SUM.matched],
  };
  const share = (a: number, b: number) => (hasClass && b > 0 ? a / b : null);
  return {
    brier: ofProbability(s[SUM.brier] / n),
    bss: s[SUM.reference] > 0 ? ofProbability(1 - s[SUM.brier] / s[SUM.reference]) : null,
    logLoss: ofProbability(s[SUM.logLoss] / n),
    eceEqualWidth: ece(BINS_FROM, widthBins),
    eceEqualMass: ece(BINS_FROM + 3 * widthBins, massBins),
    ...contingencyMetrics(countsIn(s)),
    eventPod: share(matched, truth),
    eventPrecision: share(matched, predicted),
    eventF1: share(2 * matched, truth + predicted),
    onset: share(s[SUM.onset], matched),
  };
}

const countsIn = (s: Float64Array) => ({ tp: s[SUM.tp], fp: s[SUM.fp], fn: s[SUM.fn], tn: s[SUM.tn] });

/** Every measure in every draw, NaN where undefined; null without intervals. */
function drawAll(
  whole: Record<Key, number | null>,
  options: DrawOptions,
  units: ResamplingUnits | null,
  measure: (counts: Uint16Array) => Record<Key, number | null>,
): Record<Key, Float64Array> | null {
  if (!units || units.reason !== null) return null;
  const keys = Object.keys(whole) as Key[];
  const draws = options.draws ?? DRAWS;
  const drawn = Object.fromEntries(keys.map((key) => [key, new Float64Array(draws)])) as Record<
    Key,
    Float64Array
  >;
  eachDraw(units.count, options, (counts, draw) => {
    const values = measure(counts);
    for (const key of keys) drawn[key][draw] = values[key] ?? Number.NaN;
  });
  return drawn;
}
