/** Where all of this comes from: data, labels, model, software, credits. */
import type { ReportData } from '../data.js';
import { count } from '../format.js';
import { type Html, html } from '../html.js';

export function provenanceSection(data: ReportData): Html {
  const { provenance: p, split, labels, store, facts, attribution } = data;
  const rows: [string, Html | string][] = [];
  const hash = (h: string) => html`<span class="hash">${h}</span>`;
  rows.push(['Run folder', html`<span class="hash">${data.run}</span>`]);
  if (p) {
    rows.push([
      'Dataset',
      html`${hash(p.dataset.hash)}<br><span class="hash">${p.dataset.path}</span>, ${count(p.dataset.frames)} frames, ${count(p.dataset.bad)} bad`,
    ]);
    rows.push(['Labels', html`${hash(p.labels.hash)}<br>${p.labels.source}: ${p.labels.rule}`]);
  } else {
    if (store) rows.push(['Dataset', hash(store.hash)]);
    if (labels) rows.push(['Labels', html`${hash(labels.hash)}<br>${labels.source}: ${labels.rule}`]);
  }
  if (p && store && store.hash !== p.dataset.hash)
    rows.push([
      'Caution',
      html`<b class="verdict-miss">The dataset has changed since this run was trained: it is now ${store.hash}.</b>`,
    ]);
  if (split) rows.push(['Split', hash(split.hash)]);
  if (p) {
    rows.push([
      'Seeds',
      `${p.config.training.seed} to ${p.config.training.seed + p.config.training.ensemble - 1}`,
    ]);
    rows.push(['Backend', p.backend.replace(/^backend: /, '')]);
    rows.push([
      'Software',
      Object.entries(p.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ]);
  }
  for (const [name, value] of Object.entries(facts)) rows.push([name, value]);
  const bands = store?.description.bands.map((b) => `${b.name}${b.unit ? ` (${b.unit})` : ''}`).join(', ');
  if (store && bands)
    rows.push([
      'Grid',
      `${store.description.grid.width} \u00d7 ${store.description.grid.height} cells, ${store.description.sourceGrid.crs}; bands ${bands}`,
    ]);
  return html`<dl class="facts">${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
<h3>Credits</h3><ul class="notes">${credits(attribution).map((c) => html`<li>${c}</li>`)}</ul>
${p && html`<details><summary>The whole configuration</summary><pre class="hash">${JSON.stringify(p.config, null, 1)}</pre></details>`}`;
}

/** The run's own credits, and the coast lines' where they name none. */
function credits(attribution: readonly string[]): string[] {
  const coast = attribution.some((a) => a.includes('Natural Earth'));
  return coast ? [...attribution] : [...attribution, 'Coast lines from Natural Earth (public domain).'];
}

/** What could not be read and how to get it. */
export function missingList({ missing }: ReportData): Html | null {
  if (missing.length === 0) return null;
  return html`${missing.map((m) => html`<div class="missing"><b>Not in this report: ${m.piece}.</b> ${m.reason}<br>To get it: <code>${m.cure}</code></div>`)}`;
}
