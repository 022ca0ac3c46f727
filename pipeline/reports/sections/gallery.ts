/** Small maps of the frames that say most: surest, least sure, wrong, strangest. */
import type { ReportData } from '../data.js';
import { chance, instant, number } from '../format.js';
import { gallery } from '../frames/choose.js';
import type { Fields } from '../frames/fields.js';
import { seriesLabel } from '../frames/payload.js';
import { type Html, html } from '../html.js';

export function gallerySection(data: ReportData, fields: Fields | null): Html | null {
  if (!fields || !data.predictions) return null;
  const held = new Set(fields.keys);
  const key = (f: number) => (fields.layout === 'mosaic' ? data.index!.time[f] : f);
  const groups = gallery(data)
    .map((g) => ({ ...g, frames: g.frames.filter((f) => held.has(key(f))) }))
    .filter((g) => g.frames.length > 0);
  return html`${groups.map(
    ({ kind, text, frames }) => html`<h3>${kind} <span class="ci">${text}</span></h3>
<ul class="gallery">${frames.map((f) => card(data, f, kind === 'Strangest'))}</ul>`,
  )}`;
}

function card(data: ReportData, f: number, strange: boolean): Html {
  const { index, predictions, labels, scores, store } = data;
  const truth =
    labels?.label[f] === 1 ? 'labelled storm' : labels?.label[f] === 0 ? 'labelled calm' : 'no label';
  const when = instant(index!.time[f], store?.description.time).replace(' UTC', '');
  const many = index!.seriesNames.length > 1;
  const value = strange ? `score ${number(scores?.score[f], 1)}` : `p ${chance(predictions?.probability[f])}`;
  const where = many ? seriesLabel(data, index!.seriesNames[index!.series[f]]) : '';
  return html`<li><button type="button" data-go="${f}"><canvas width="160" height="160" data-thumb="${f}" role="img" aria-label="${`Frame of ${when} ${where}`}"></canvas><span class="what"><b>${value}</b>, ${truth}<br>${when}${many ? html`<br>${where}` : ''}</span></button></li>`;
}
