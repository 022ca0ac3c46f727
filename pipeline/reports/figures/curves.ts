/** Precision-recall, ROC and reliability of the test part, each beside what chance or the base rate gives. */
import type { Evaluation, Reliability } from '../../../schemas/records/index.js';
import type { Html } from '../html.js';
import { draw, Plot } from './plot.js';

const SIZE = { width: 340, height: 320, marginLeft: 44, marginBottom: 42, marginRight: 14, marginTop: 22 };
const INK = 'var(--line)';
const REFERENCE = { stroke: 'currentColor', strokeOpacity: 0.55, strokeDasharray: '4 4' };
const unit = (label: string) => ({ domain: [0, 1], label, ticks: 5 });

export function precisionRecall({ curves, n, positives, ap }: Evaluation): Html {
  const base = n ? positives / n : 0;
  const label = `Precision against recall; average precision ${ap.value?.toFixed(3) ?? 'undefined'}, base rate ${base.toFixed(3)}`;
  return draw(label, {
    ...SIZE,
    x: unit('Recall (share of storms found)'),
    y: unit('Precision (share of alarms that are storms)'),
    marks: [
      Plot.gridX({ strokeOpacity: 0.08 }),
      Plot.gridY({ strokeOpacity: 0.08 }),
      Plot.ruleY([base], REFERENCE),
      Plot.text([[1, base]], {
        text: () => `base rate ${base.toFixed(2)}`,
        textAnchor: 'end',
        dy: base > 0.9 ? 10 : -7,
        fill: 'currentColor',
      }),
      Plot.line(thinned(curves.pr), { stroke: INK, strokeWidth: 2.2, curve: 'step-before' }),
      Plot.frame({ strokeOpacity: 0.25 }),
    ],
  }).svg;
}

export function roc({ curves, auroc }: Evaluation): Html {
  return draw(`Receiver operating characteristic; area ${auroc.value?.toFixed(3) ?? 'undefined'}`, {
    ...SIZE,
    x: unit('False alarm rate (share of calm frames)'),
    y: unit('Hit rate (share of storms found)'),
    marks: [
      Plot.gridX({ strokeOpacity: 0.08 }),
      Plot.gridY({ strokeOpacity: 0.08 }),
      Plot.line(
        [
          [0, 0],
          [1, 1],
        ],
        REFERENCE,
      ),
      Plot.text([[0.62, 0.62]], { text: () => 'chance', dy: 14, dx: 8, fill: 'currentColor' }),
      Plot.line(thinned(curves.roc), { stroke: INK, strokeWidth: 2.2 }),
      Plot.frame({ strokeOpacity: 0.25 }),
    ],
  }).svg;
}

export function reliabilityCurve({ curves, n, positives }: Evaluation): Html {
  const bins = curves.reliability.filter((b) => b.n > 0 && b.meanProbability !== null && b.observed !== null);
  const most = Math.max(1, ...bins.map((b) => b.n));
  return draw(
    'Observed share of storms against the probability given; on the diagonal the probabilities are right',
    {
      ...SIZE,
      x: unit('Probability given'),
      y: unit('Observed share of storms'),
      r: { range: [2.5, 9], domain: [0, most] },
      marks: [
        Plot.gridX({ strokeOpacity: 0.08 }),
        Plot.gridY({ strokeOpacity: 0.08 }),
        Plot.line(
          [
            [0, 0],
            [1, 1],
          ],
          REFERENCE,
        ),
        Plot.ruleY([n ? positives / n : 0], { ...REFERENCE, strokeDasharray: '1 4' }),
        Plot.line(bins, { x: 'meanProbability', y: 'observed', stroke: INK, strokeWidth: 1.6 }),
        Plot.dot(bins, {
          x: 'meanProbability',
          y: 'observed',
          r: 'n',
          fill: INK,
          stroke: 'var(--paper)',
          title: (b: Reliability) =>
            `${b.n} frames: given ${b.meanProbability?.toFixed(3)}, observed ${b.observed?.toFixed(3)}`,
        }),
        Plot.frame({ strokeOpacity: 0.25 }),
      ],
    },
  ).svg;
}

/** At most 600 points of a curve, its ends kept. */
function thinned(points: readonly (readonly [number, number])[]): [number, number][] {
  const step = Math.max(1, Math.ceil(points.length / 600));
  return points.filter((_, i) => i % step === 0 || i === points.length - 1).map(([x, y]) => [x, y]);
}
