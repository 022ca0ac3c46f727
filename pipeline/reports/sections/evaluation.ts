/** How good: curves, the ladder and every metric with its interval. */
import type { Estimate, Evaluation, Rung } from '../../../schemas/records/index.js';
import type { ReportData } from '../data.js';
import { precisionRecall, reliabilityCurve, roc } from '../figures/curves.js';
import { ladderFigure } from '../figures/ladder.js';
import { brief, count, number, signed, whyNoInterval } from '../format.js';
import { type Html, html } from '../html.js';
import { judgedPart } from './verdict.js';

export function evaluationSection(data: ReportData): Html {
  const judged = judgedPart(data);
  if (!judged) return html`<p class="missing">No evaluation in this run.</p>`;
  const { evaluation: e, part } = judged;
  return html`<p class="sub">The ${part} part: ${count(e.n)} frames, ${count(e.positives)} of them storm (${number(e.n ? (100 * e.positives) / e.n : null, 1)} %), ${count(e.events)} labelled events. Intervals: ${e.intervals}.</p>
<div class="triple">
<figure><figcaption>Precision and recall</figcaption>${precisionRecall(e)}</figure>
<figure><figcaption>Hits against false alarms</figcaption>${roc(e)}</figure>
<figure><figcaption>Are the probabilities right?</figcaption>${reliabilityCurve(e)}<p class="sub-caption">Dots grow with the number of frames. On the dashed diagonal a probability means what it says.</p></figure>
</div>
${reliabilityTable(e)}${metricTable(data)}`;
}

function reliabilityTable({ curves }: Evaluation): Html {
  return html`<details><summary>Table: reliability by probability bin</summary><div class="table"><table><thead><tr><th>Probability</th><th class="n">Frames</th><th class="n">Mean given</th><th class="n">Observed</th></tr></thead><tbody>
${curves.reliability.filter((b) => b.n > 0).map((b) => html`<tr><td>${number(b.from)} to ${number(b.to)}</td><td class="n">${count(b.n)}</td><td class="n">${number(b.meanProbability)}</td><td class="n">${number(b.observed)}</td></tr>`)}</tbody></table></div></details>`;
}

const METRICS: readonly [keyof Evaluation, string, string][] = [
  ['ap', 'Average precision', 'step-wise; a constant score gives the base rate'],
  ['auroc', 'AUROC', 'chance is 0.5'],
  ['brier', 'Brier score', '0 is perfect'],
  ['bss', 'Brier skill', 'against climatology; 0 is no skill, 1 perfect'],
  ['logLoss', 'Log loss', '0 is perfect'],
  ['eceEqualWidth', 'Calibration error, equal-width bins', '0 is perfect'],
  ['eceEqualMass', 'Calibration error, equal-mass bins', '0 is perfect'],
  ['pod', 'Probability of detection', 'storm frames found'],
  ['far', 'False alarm ratio', 'alarms that are none'],
  ['pofd', 'Probability of false detection', 'calm frames called storm'],
  ['csi', 'Critical success index', 'hits over hits, misses and false alarms'],
  ['bias', 'Frequency bias', '1 is unbiased'],
  ['hss', 'Heidke skill', '0 is chance'],
  ['ets', 'Equitable threat score', '0 is chance'],
  ['pss', 'Peirce skill', '0 is chance'],
  ['sedi', 'SEDI', 'extremal dependence, for rare events'],
];

function metricTable({ metrics }: ReportData): Html {
  const parts = Object.entries(metrics?.evaluations ?? {});
  const cell = (e: Estimate) =>
    html`<td class="n">${number(e.value)} <span class="ci">${brief(e)}</span></td>`;
  const counts = parts.map(
    ([, e]) =>
      `hits ${e.counts.tp}, misses ${e.counts.fn}, false alarms ${e.counts.fp}, correct calm ${e.counts.tn}`,
  );
  const events: readonly [keyof Evaluation['eventScores'], string, string][] = [
    ['pod', 'Events found', 'share of labelled events'],
    ['precision', 'Event precision', 'share of predicted events that are real'],
    ['f1', 'Event F1', 'by overlap in time'],
    ['onsetErrorHours', 'Onset error', 'hours, predicted minus labelled'],
  ];
  return html`<details><summary>Table: all metrics with 95 % intervals</summary><div class="table"><table><thead><tr><th>Metric</th>${parts.map(([name]) => html`<th class="n">${name}</th>`)}<th>Meaning</th></tr></thead><tbody>
${METRICS.map(([key, name, meaning]) => html`<tr><td>${name}</td>${parts.map(([, e]) => cell(e[key] as Estimate))}<td>${meaning}</td></tr>`)}
${events.map(([key, name, meaning]) => html`<tr><td>${name}</td>${parts.map(([, e]) => cell(e.eventScores[key] as Estimate))}<td>${meaning}</td></tr>`)}
<tr><td>Counts</td>${counts.map((c) => html`<td>${c}</td>`)}<td>at the thresholds used</td></tr></tbody></table></div>${note(parts.flatMap(([, e]) => METRICS.map(([key]) => e[key] as Estimate)))}</details>`;
}

/** Why intervals are missing, said once. */
export function note(estimates: readonly (Estimate | null)[]): Html | null {
  const text = whyNoInterval(estimates);
  return text === '' ? null : html`<p class="sub-caption">${text}</p>`;
}

export function ladderSection(data: ReportData): Html {
  const rungs = data.metrics?.ladder ?? [];
  if (rungs.length === 0)
    return html`<p class="missing">No ladder in this run: it needs labels and a test part.</p>`;
  const e = data.metrics?.evaluations?.test;
  const base = e?.n ? e.positives / e.n : null;
  return html`<p class="sub">Each step is judged on the same frames. A step is better than the one above it only where the paired interval of the gain says so.</p>
<div class="two ladder"><figure>${ladderFigure(rungs, base)}</figure>
<div class="table"><table><thead><tr><th>Score</th><th class="n">AP</th><th class="n">AUROC</th><th class="n">AP gained on<br>the step above</th><th>Verdict</th></tr></thead><tbody>
${rungs.map((r, i) => rungRow(r, i === rungs.length - 1))}</tbody></table>${note(rungs.flatMap((r) => [r.ap, r.auroc, r.apGain]))}</div></div>`;
}

function rungRow(r: Rung, own: boolean): Html {
  if (r.skipped)
    return html`<tr><td>${r.name}</td><td colspan="4" class="ci" style="white-space:normal">left out: ${r.skipped}</td></tr>`;
  const estimate = (e: Estimate | null, form = number) =>
    e
      ? html`<td class="n">${form(e.value, 3)}<br><span class="ci">${brief(e, form)}</span></td>`
      : html`<td class="n"></td>`;
  const strongest =
    r.strongest &&
    html`<br><span class="ci" style="white-space:normal">against \u201c${r.strongest.name}\u201d: ${signed(r.strongest.apGain.value)} (${brief(r.strongest.apGain, signed)})</span>`;
  return html`<tr class="${own && 'own'}"><td>${r.name}${strongest}</td>${estimate(r.ap)}${estimate(r.auroc)}${estimate(r.apGain, signed)}<td>${verdictChip(r.verdict)}</td></tr>`;
}

function verdictChip(verdict: string | null): Html | null {
  if (!verdict) return null;
  const [kind, sign] =
    verdict === 'better'
      ? ['better', '\u25b2 ']
      : verdict === 'worse'
        ? ['worse', '\u25bc ']
        : ['neutral', '\u2013 '];
  return html`<span class="chip ${kind}">${sign}${verdict}</span>`;
}
