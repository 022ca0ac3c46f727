/** How training went. */
import type { ReportData } from '../data.js';
import { lossCurves, validationCurves } from '../figures/training.js';
import { number, plural } from '../format.js';
import { type Html, html } from '../html.js';

export function trainingSection({ log }: ReportData): Html {
  if (!log || log.length === 0) return html`<p class="missing">No training log in this run.</p>`;
  const members = [...new Set(log.map((r) => r.member))].sort((a, b) => a - b);
  const validation = validationCurves(log);
  return html`<p class="sub">${plural(members.length, 'ensemble member')}, a line each. A falling loss shows that training worked, not that the model is right.</p>
<div class="panels"><figure><figcaption>Training loss</figcaption>${lossCurves(log)}</figure>${validation && html`<figure><figcaption>Validation</figcaption>${validation}</figure>`}</div>
<details><summary>Table: first and last loss of each member</summary><div class="table"><table><thead><tr><th>Member</th><th class="n">Updates</th><th class="n">First loss</th><th class="n">Last loss</th><th class="n">Frames a second (median)</th></tr></thead><tbody>
${members.map((m) => {
  const own = log.filter((r) => r.member === m);
  const speeds = own
    .map((r) => r.framesPerSecond ?? Number.NaN)
    .filter((v) => !Number.isNaN(v))
    .sort((a, b) => a - b);
  return html`<tr><td>${m}</td><td class="n">${own[own.length - 1].step}</td><td class="n">${number(own[0].loss)}</td><td class="n">${number(own[own.length - 1].loss)}</td><td class="n">${number(speeds[speeds.length >> 1], 0)}</td></tr>`;
})}</tbody></table></div></details>`;
}
