/** Probability over time: a row a series where they are few, Hovmoeller panels where they are many. */
import { PARTS } from '../../../schemas/records/index.js';
import type { ReportData } from '../data.js';
import { matrixPanel, panelsOf } from '../figures/matrix.js';
import { timeRow } from '../figures/series.js';
import { count, instant, number } from '../format.js';
import { seriesLabel } from '../frames/payload.js';
import { type Html, html } from '../html.js';
import { gradient, PART_COLOURS, PROBABILITY } from '../palette.js';

/** Most series that get a row each. */
export const FEW_SERIES = 6;

export async function timeSection(data: ReportData): Promise<Html> {
  const { index } = data;
  if (!index || index.length === 0)
    return html`<p class="missing">Nothing to draw: no frames were found.</p>`;
  return index.seriesNames.length <= FEW_SERIES ? rows(data) : panels(data);
}

function rows(data: ReportData): Html {
  const index = data.index!;
  const figures = index.seriesNames.map((name, s) => {
    const frames = [...index.series.keys()].filter((f) => index.series[f] === s);
    if (frames.length === 0) return null;
    const row = timeRow(data, frames, name);
    const link = JSON.stringify({ series: s, from: row.from, to: row.to, left: row.left, right: row.right });
    return html`<figure class="wide"><figcaption>${index.seriesNames.length > 1 ? seriesLabel(data, name) : ''}</figcaption><div class="scroll" data-time-row="${link}" tabindex="0" role="group" aria-label="${`Time axis of ${name}`}">${row.svg}</div></figure>`;
  });
  const parts = data.split
    ? PARTS.map((p, i) =>
        data.split!.part.includes(i)
          ? html`<span><i class="swatch" style="background:${PART_COLOURS[i]}"></i>${p}</span>`
          : null,
      )
    : null;
  return html`<p class="sub">Point at the axis or click it to bring a time up on the map.</p>
<p class="swatches"><span><i class="swatch" style="background:var(--ink)"></i>labelled storm</span><span><i class="swatch" style="background:var(--line)"></i>probability</span><span><i class="swatch" style="background:var(--storm)"></i>predicted event</span>${parts}</p>
${figures}${frameTable(data)}`;
}

async function panels(data: ReportData): Promise<Html> {
  const { predictions, labels, split } = data;
  const list = await Promise.all(
    panelsOf(data).map((panel) =>
      matrixPanel(data, panel, {
        value: (f) => predictions?.probability[f] ?? Number.NaN,
        ramp: PROBABILITY,
        label: 'Probability of a storm',
        storm: (f) => labels?.label[f] === 1,
        test: (f) => split !== null && PARTS[split.part[f]] === 'test',
      }),
    ),
  );
  return html`<p class="sub">Time runs downwards, place from west to east: a storm that travels east draws a line to the lower right. Click a cell to see it on the map.</p>
<p class="swatches"><span>probability 0 <i class="ramp" style="background:${gradient(PROBABILITY)}"></i> 1</span><span><i class="swatch dot"></i>labelled storm</span></p>
<div class="panels">${list}</div>${frameTable(data)}`;
}

const TABLE_ROWS = 400;

/** The numbers behind the figure: all frames the model or the labels call storm, up to a limit. */
function frameTable({ index, predictions, labels, split, store }: ReportData): Html {
  const kind = store?.description.time ?? 'utc';
  const storms = [...index!.time.keys()].filter(
    (f) => predictions?.predicted[f] === 1 || labels?.label[f] === 1,
  );
  const shown = storms.slice(0, TABLE_ROWS);
  return html`<details><summary>Table: ${count(storms.length)} frames that the model or the labels call storm${storms.length > shown.length ? ` (first ${TABLE_ROWS}; predictions.csv has all)` : ''}</summary>
<div class="table"><table class="one-line"><thead><tr><th>Series</th><th>Time</th><th class="n">Probability</th><th>Predicted</th><th>Label</th><th>Part</th></tr></thead><tbody>
${shown.map((f) => html`<tr><td>${index!.seriesNames[index!.series[f]]}</td><td>${instant(index!.time[f], kind)}</td><td class="n">${number(predictions?.probability[f])}</td><td>${word(predictions?.predicted[f])}</td><td>${word(labels?.label[f])}</td><td>${split ? PARTS[split.part[f]] : ''}</td></tr>`)}
</tbody></table></div></details>`;
}

const word = (v: number | undefined) => (v === 1 ? 'storm' : v === 0 ? 'calm' : 'none');
