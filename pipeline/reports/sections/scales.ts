/** How much each tap of the model counted, over all frames and over storm and calm ones. */
import type { ReportData } from '../data.js';
import { count, number } from '../format.js';
import { type Html, html } from '../html.js';

/** Null where the model does not weigh taps. */
export function scalesSection(data: ReportData): Html | null {
  const { attention, index, labels, predictions } = data;
  if (!attention || !index || attention.taps.length < 2) return null;
  const truth = labels ? 'labelled' : 'predicted';
  const isStorm = (f: number) => (labels ? labels.label[f] : (predictions?.predicted[f] ?? -1));
  const frames = Array.from({ length: index.length }, (_, f) => f).filter((f) => attention.scale(f));
  if (frames.length === 0) return null;
  const groups = [
    { name: 'All frames', frames },
    { name: `Frames ${truth} storm`, frames: frames.filter((f) => isStorm(f) === 1) },
    { name: `Frames ${truth} calm`, frames: frames.filter((f) => isStorm(f) === 0) },
  ].filter((group) => group.frames.length > 0);
  const means = groups.map((group) => meanWeights(attention, group.frames));
  return html`<p class="sub">The model looks at the maps of ${count(attention.taps.length)} of its blocks, from fine to coarse, and weighs them anew in every frame; the weights of a frame sum to 1. Equal weights would be ${number(1 / attention.taps.length)} each.</p>
<div class="table"><table><thead><tr><th>Block</th><th class="n">Its map, cells</th>${groups.map(({ name, frames: own }) => html`<th class="n">${name} (${count(own.length)})</th>`)}</tr></thead><tbody>
${attention.taps.map(({ name, width, height }, l) => html`<tr><td>${name}</td><td class="n">${height} x ${width}</td>${means.map((weights) => html`<td class="n">${number(weights[l])}</td>`)}</tr>`)}</tbody></table></div>`;
}

function meanWeights(attention: NonNullable<ReportData['attention']>, frames: readonly number[]): number[] {
  const sums = new Array<number>(attention.taps.length).fill(0);
  for (const f of frames)
    for (const [l, weight] of attention.scale(f)!.entries()) sums[l] += weight / frames.length;
  return sums;
}
