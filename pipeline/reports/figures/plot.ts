/** Observable Plot drawn on the server: options in, SVG text out. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { type Html, raw } from '../html.js';

const STYLE = { fontFamily: 'inherit', fontSize: '12px', overflow: 'visible', background: 'none' };

export interface Drawn {
  svg: Html;
  /** Scales as Plot made them: domain and range, for linking. */
  x: { domain: [number, number]; range: [number, number] };
}

/** `label` is what a screen reader says. */
export function draw(label: string, options: Plot.PlotOptions): Drawn {
  const { document } = parseHTML('<html><body></body></html>');
  const plot = Plot.plot({ ...options, document, style: STYLE, ariaLabel: label } as Plot.PlotOptions);
  plot.setAttribute('role', 'img');
  // Plot names its groups, which have no role; the picture as a whole has a name.
  for (const group of plot.querySelectorAll('[aria-label]')) group.removeAttribute('aria-label');
  plot.setAttribute('aria-label', label);
  const scale = plot.scale('x') as unknown as { domain?: unknown[]; range?: number[] } | undefined;
  const domain = (scale?.domain ?? [0, 1]).map(Number) as [number, number];
  return {
    svg: raw(String(plot.outerHTML)),
    x: {
      domain: [domain[0], domain[domain.length - 1]],
      range: (scale?.range ?? [0, 1]) as [number, number],
    },
  };
}

export { Plot };
