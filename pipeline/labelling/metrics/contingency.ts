/** Scores of yes/no forecasts from the four counts; names as in forecast verification (Wilks; Jolliffe and Stephenson). */

export interface Counts {
  tp: number;
  fp: number;
  fn: number;
  tn: number;
}

export interface ContingencyMetrics {
  /** Hits / (hits + misses). */
  pod: number | null;
  /** False alarm ratio: false alarms / forecast. */
  far: number | null;
  /** Probability of false detection: false alarms / calm. */
  pofd: number | null;
  csi: number | null;
  /** Frequency bias: forecast / observed. */
  bias: number | null;
  hss: number | null;
  ets: number | null;
  /** Peirce: POD - POFD. */
  pss: number | null;
  /** Symmetric extremal dependence index (Ferro and Stephenson 2011). */
  sedi: number | null;
}

export const CONTINGENCY_REASONS: Record<keyof ContingencyMetrics, string> = {
  pod: 'no storm frame',
  far: 'no frame is predicted as storm',
  pofd: 'no calm frame',
  csi: 'no storm frame, none predicted',
  bias: 'no storm frame',
  hss: 'one class only, observed and predicted',
  ets: 'no storm frame beyond chance',
  pss: 'one class only',
  sedi: 'POD or POFD is 0, 1 or undefined',
};

/** An undefined measure is null. Counts may be weighted. */
export function contingencyMetrics({ tp, fp, fn, tn }: Counts): ContingencyMetrics {
  const n = tp + fp + fn + tn;
  const byChance = n > 0 ? ((tp + fp) * (tp + fn)) / n : 0;
  const pod = ratio(tp, tp + fn);
  const pofd = ratio(fp, fp + tn);
  return {
    pod,
    far: ratio(fp, tp + fp),
    pofd,
    csi: ratio(tp, tp + fp + fn),
    bias: ratio(tp + fp, tp + fn),
    hss: ratio(2 * (tp * tn - fp * fn), (tp + fn) * (fn + tn) + (tp + fp) * (fp + tn)),
    ets: ratio(tp - byChance, tp + fp + fn - byChance),
    pss: pod === null || pofd === null ? null : pod - pofd,
    sedi: sedi(pod, pofd),
  };
}

/** Counts of 0/1 predictions against 0/1 labels. */
export function countsOf(predicted: ArrayLike<number>, labels: ArrayLike<number>): Counts {
  const counts = { tp: 0, fp: 0, fn: 0, tn: 0 };
  for (let i = 0; i < labels.length; i++) {
    if (predicted[i]) labels[i] ? counts.tp++ : counts.fp++;
    else labels[i] ? counts.fn++ : counts.tn++;
  }
  return counts;
}

const ratio = (a: number, b: number): number | null => (b !== 0 ? a / b : null);

function sedi(pod: number | null, pofd: number | null): number | null {
  if (pod === null || pofd === null || pod <= 0 || pod >= 1 || pofd <= 0 || pofd >= 1) return null;
  const [f, h] = [Math.log(pofd), Math.log(pod)];
  const [notF, notH] = [Math.log(1 - pofd), Math.log(1 - pod)];
  return (f - h - notF + notH) / (f + h + notF + notH);
}
