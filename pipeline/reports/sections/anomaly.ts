/** How unusual each frame is, and how little that says about storms. */
import { PARTS } from '../../../schemas/records/index.js';
import type { ReportData } from '../data.js';
import { matrixPanel, panelsOf } from '../figures/matrix.js';
import { brief, count, instant, number, percent } from '../format.js';
import { shownFrames } from '../frames/choose.js';
import { seriesLabel } from '../frames/payload.js';
import { type Html, html } from '../html.js';
import { ANOMALY, gradient } from '../palette.js';
import { note } from './evaluation.js';
import { FEW_SERIES } from './time.js';

export async function anomalySection(data: ReportData): Promise<Html> {
  const { scores, metrics } = data;
  const meaning = html`<p class="lead">Anomaly means unusual, not storm.</p><p>The score is the negative log-likelihood of a frame under an autoencoder that learned ordinary sequences; larger is stranger. A frame can be strange for other reasons, and a storm can be ordinary.</p>`;
  if (!scores) return html`${meaning}<p class="missing">No anomaly scores in this run.</p>`;
  return html`${meaning}${baselines(metrics?.anomaly)}${alarms(metrics?.anomalyAlarms)}${data.index!.seriesNames.length > FEW_SERIES ? await scorePanels(data) : html`<p class="sub">The score runs along the time axis above.</p>`}${strangest(data)}`;
}

type Baselines = NonNullable<NonNullable<ReportData['metrics']>['anomaly']>;

function baselines(rows: Baselines | undefined): Html | null {
  if (!rows || rows.length === 0) return null;
  return html`<h3>Does strangeness point to storms? Each score against the labels of the test part</h3><div class="table"><table><thead><tr><th>Score</th><th class="n">AUROC</th><th class="n">AP</th></tr></thead><tbody>
${rows.map((r) => html`<tr><td>${r.name}</td><td class="n">${number(r.auroc.value)} <span class="ci">${brief(r.auroc)}</span></td><td class="n">${number(r.ap.value)} <span class="ci">${brief(r.ap)}</span></td></tr>`)}</tbody></table></div>${note(rows.flatMap((r) => [r.auroc, r.ap]))}`;
}

/** Whether the p-values hold on calm test frames. */
function alarms(rows: NonNullable<ReportData['metrics']>['anomalyAlarms']): Html | null {
  if (!rows || rows.length === 0) return null;
  const words = rows.map(
    ({ alpha, share }) =>
      `${percent(share)} have a p-value of at most ${alpha} (${percent(alpha, 0)} were to be expected)`,
  );
  const far = rows.some(({ alpha, share }) => share > 2 * alpha);
  return html`<p>Of the ${count(rows[0].frames)} calm test frames ${words.join(', ')}.${far && html` <b>The p-values do not carry over to the test part</b>: its calm frames are unlike those the scores were calibrated on.`}</p>`;
}

async function scorePanels(data: ReportData): Promise<Html> {
  const { scores, labels, split } = data;
  const sorted = [...scores!.score].filter((v) => !Number.isNaN(v)).sort((a, b) => a - b);
  if (sorted.length === 0) return html`<p class="missing">All scores are empty.</p>`;
  const rank = (v: number) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle] < v) low = middle + 1;
      else high = middle;
    }
    return low / Math.max(1, sorted.length - 1);
  };
  const list = await Promise.all(
    panelsOf(data).map((panel) =>
      matrixPanel(data, panel, {
        value: (f) => (Number.isNaN(scores!.score[f]) ? Number.NaN : rank(scores!.score[f]) ** 2),
        ramp: ANOMALY,
        label: 'Rank of the anomaly score',
        storm: (f) => labels?.label[f] === 1,
        test: (f) => split !== null && PARTS[split.part[f]] === 'test',
      }),
    ),
  );
  return html`<p class="swatches"><span>rank of the score, ordinary <i class="ramp" style="background:${gradient(ANOMALY)}"></i> strangest</span><span><i class="swatch dot"></i>labelled storm</span></p><div class="panels">${list}</div>`;
}

function strangest(data: ReportData): Html {
  const { index, scores, labels, predictions, store } = data;
  const top = shownFrames(data)
    .filter((f) => !Number.isNaN(scores!.score[f]))
    .sort((a, b) => scores!.score[b] - scores!.score[a])
    .slice(0, 15);
  const known = [...scores!.p].filter((p) => !Number.isNaN(p));
  const smallest = known.reduce((a, b) => Math.min(a, b), 1);
  return html`<details><summary>Table: the ${top.length} strangest frames</summary><div class="table"><table><thead><tr><th>Series</th><th>Time</th><th class="n">Score</th><th class="n">p-value</th><th class="n">PCA</th><th class="n">Persistence</th><th class="n">Norm</th><th class="n">Storm prob.</th><th>Label</th></tr></thead><tbody>
${top.map((f) => html`<tr><td>${seriesLabel(data, index!.seriesNames[index!.series[f]])}</td><td>${instant(index!.time[f], store?.description.time)}</td><td class="n">${number(scores!.score[f], 2)}</td><td class="n">${number(scores!.p[f], 4)}</td><td class="n">${number(scores!.pca[f], 2)}</td><td class="n">${number(scores!.persistence[f], 2)}</td><td class="n">${number(scores!.norm[f], 2)}</td><td class="n">${number(predictions?.probability[f])}</td><td>${labels?.label[f] === 1 ? 'storm' : labels?.label[f] === 0 ? 'calm' : 'none'}</td></tr>`)}
</tbody></table></div></details>${known.length > 0 && html`<p class="sub-caption">p-values are split-conformal; ${count(known.length)} frames have one, the smallest is ${number(smallest, 4)}.</p>`}`;
}
