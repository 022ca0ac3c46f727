/** Loss of every ensemble member, a running mean over steps, and validation average precision where it was measured. */
import type { TrainingStep } from '../data.js';
import type { Html } from '../html.js';
import { LINES } from '../palette.js';
import { draw, Plot } from './plot.js';

const SIZE = { width: 540, height: 280, marginLeft: 48, marginBottom: 40, marginTop: 22, marginRight: 16 };
const MOST_POINTS = 250;

export function lossCurves(log: readonly TrainingStep[]): Html {
  const members = [...new Set(log.map((r) => r.member))].sort((a, b) => a - b);
  const rows = members.flatMap((m) => smoothed(log.filter((r) => r.member === m)));
  return draw(`Training loss of ${members.length} ensemble members over updates`, {
    ...SIZE,
    x: { label: 'Update', nice: true },
    y: { label: 'Loss (running mean)', zero: true, nice: true },
    color: { type: 'categorical', domain: members, range: members.map((_, i) => LINES[i % LINES.length]) },
    marks: [
      Plot.gridY({ strokeOpacity: 0.1 }),
      Plot.line(rows, { x: 'step', y: 'loss', z: 'member', stroke: 'member', strokeWidth: 1.6 }),
      Plot.frame({ strokeOpacity: 0.25, anchor: 'bottom' }),
    ],
  }).svg;
}

/** Null where nothing was validated. */
export function validationCurves(log: readonly TrainingStep[]): Html | null {
  const rows = log.filter((r) => typeof r.validationAp === 'number');
  if (rows.length === 0) return null;
  const members = [...new Set(rows.map((r) => r.member))];
  return draw('Validation average precision over updates', {
    ...SIZE,
    x: { label: 'Update', nice: true },
    y: { label: 'Average precision on the validation part', domain: [0, 1] },
    color: { type: 'categorical', domain: members, range: members.map((_, i) => LINES[i % LINES.length]) },
    marks: [
      Plot.gridY({ strokeOpacity: 0.1 }),
      Plot.line(rows, { x: 'step', y: 'validationAp', z: 'member', stroke: 'member', strokeWidth: 1.6 }),
      Plot.dot(rows, { x: 'step', y: 'validationAp', fill: 'member', r: 2.5 }),
      Plot.frame({ strokeOpacity: 0.25, anchor: 'bottom' }),
    ],
  }).svg;
}

function smoothed(rows: readonly TrainingStep[]): { member: number; step: number; loss: number }[] {
  const width = Math.max(1, Math.round(rows.length / 25));
  const every = Math.max(1, Math.ceil(rows.length / MOST_POINTS));
  return rows
    .map(({ member, step }, i) => {
      const near = rows.slice(Math.max(0, i - width), i + width + 1);
      return { member, step, loss: near.reduce((sum, r) => sum + r.loss, 0) / near.length };
    })
    .filter((_, i) => i % every === 0 || i === rows.length - 1);
}
