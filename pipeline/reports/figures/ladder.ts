/** The ladder: average precision of each rung with its interval, the base rate as a line. */
import type { Rung } from '../../../schemas/records/index.js';
import type { Html } from '../html.js';
import { draw, Plot } from './plot.js';

export function ladderFigure(rungs: readonly Rung[], baseRate: number | null): Html {
  const known = rungs.filter((r) => r.ap.value !== null);
  const rows = known.map((r, i) => ({
    i,
    value: r.ap.value!,
    low: r.ap.ci95?.[0] ?? r.ap.value!,
    high: r.ap.ci95?.[1] ?? r.ap.value!,
    name: r.name,
  }));
  const last = known.length - 1;
  const spoken = rows.map((r) => `${r.name} ${r.value.toFixed(3)}`).join(', ');
  return draw(`Average precision of each rung: ${spoken}`, {
    width: 440,
    height: 58 + 34 * known.length,
    marginLeft: 14,
    marginRight: 40,
    marginTop: 24,
    marginBottom: 38,
    x: { domain: [0, 1], label: 'Average precision on the test part', ticks: 5 },
    y: { domain: rows.map((r) => r.i), axis: null },
    marks: [
      Plot.gridX({ strokeOpacity: 0.1 }),
      baseRate === null
        ? null
        : Plot.ruleX([baseRate], { stroke: 'currentColor', strokeOpacity: 0.55, strokeDasharray: '4 4' }),
      baseRate === null
        ? null
        : Plot.text([baseRate], {
            x: (d: number) => d,
            frameAnchor: 'top',
            dy: -14,
            text: () => 'base rate',
            fill: 'currentColor',
          }),
      Plot.ruleY(rows, {
        y: 'i',
        x1: 'low',
        x2: 'high',
        dy: 7,
        strokeWidth: 3,
        stroke: (r) => (r.i === last ? 'var(--storm)' : 'var(--line)'),
        strokeOpacity: 0.45,
      }),
      Plot.dot(rows, {
        y: 'i',
        x: 'value',
        dy: 7,
        r: 5,
        fill: (r) => (r.i === last ? 'var(--storm)' : 'var(--line)'),
      }),
      Plot.text(rows, {
        y: 'i',
        x: 0,
        dx: 2,
        dy: -7,
        text: 'name',
        textAnchor: 'start',
        fill: 'currentColor',
        stroke: 'var(--paper)',
        strokeWidth: 4,
      }),
      Plot.text(rows, {
        y: 'i',
        x: 'high',
        dx: 8,
        dy: 7,
        text: (r) => r.value.toFixed(3),
        textAnchor: 'start',
        fontWeight: 600,
        fill: 'currentColor',
        stroke: 'var(--paper)',
        strokeWidth: 4,
      }),
    ].filter((m) => m !== null),
  }).svg;
}
