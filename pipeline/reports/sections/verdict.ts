/** The answer first: which frames, which events, how sure, and what a simpler method would have said. */
import { type Evaluation, PARTS, type Rung } from '../../../schemas/records/index.js';
import type { ReportData } from '../data.js';
import {
  chance,
  count,
  instant,
  interval,
  number,
  percent,
  plural,
  signed,
  whyNoInterval,
} from '../format.js';
import { openingFrame, shownFrames } from '../frames/choose.js';
import { seriesLabel } from '../frames/payload.js';
import { type Html, html } from '../html.js';

/** The part whose figures are shown first. */
export function judgedPart({ metrics }: ReportData): { part: string; evaluation: Evaluation } | null {
  const parts = metrics?.evaluations ?? {};
  const part = ['test', 'validation', ...Object.keys(parts)].find((name) => parts[name]);
  return part ? { part, evaluation: parts[part] } : null;
}

export interface Comparison {
  own: Rung;
  baseline: Rung | null;
  gain: Rung['apGain'];
}

/** The model's rung, the best simple score, and the paired gain over it. */
export function comparison({ metrics }: ReportData): Comparison | null {
  const rungs = (metrics?.ladder ?? []).filter((r) => r.ap.value !== null);
  const own = rungs[rungs.length - 1];
  if (!own) return null;
  if (own.strongest) {
    const baseline = rungs.find((r) => r.name === own.strongest?.name) ?? null;
    return { own, baseline, gain: own.strongest.apGain };
  }
  return { own, baseline: rungs[rungs.length - 2] ?? null, gain: own.apGain };
}

export function verdict(data: ReportData): Html {
  return html`<div class="lead-block"><p class="lead">${frames(data)} ${surest(data)}</p><p class="lead">${sureness(data)}</p></div>`;
}

function frames(data: ReportData): Html | string {
  const { predictions, events, split } = data;
  if (!predictions) return 'No predictions were found for this run, so there is no answer to open on.';
  const shown = shownFrames(data).filter((f) => predictions.predicted[f] >= 0);
  const storms = shown.filter((f) => predictions.predicted[f] === 1).length;
  const of =
    split && shown.some((f) => PARTS[split.part[f]] === 'test') ? 'frames of the test part' : 'frames';
  const inShown = new Set(shown.map((f) => predictions.event[f]).filter((e) => e > 0)).size;
  const found = events ? html` They form <b>${plural(inShown, 'event')}</b>.` : '';
  return html`The model marks <b>${count(storms)} of ${count(shown.length)} ${of}</b> as storm (${shown.length ? percent(storms / shown.length) : 'n/a'}).${found}`;
}

function surest(data: ReportData): Html | string {
  const { predictions, labels, index } = data;
  if (!predictions || !index || index.length === 0) return '';
  const f = openingFrame(data);
  if (Number.isNaN(predictions.probability[f]) || predictions.predicted[f] !== 1)
    return 'It is sure of none of them.';
  const truth =
    labels && labels.label[f] >= 0
      ? labels.label[f] === 1
        ? ', and the label agrees'
        : ', where the label says calm'
      : '';
  const where =
    index.seriesNames.length > 1 ? ` at ${seriesLabel(data, index.seriesNames[index.series[f]])}` : '';
  const when = instant(index.time[f], data.store?.description.time);
  return html`It is surest of <span class="hold">${when}</span>${where}: probability ${chance(predictions.probability[f])}${truth}.`;
}

function sureness(data: ReportData): Html {
  const judged = judgedPart(data);
  if (!judged) return html`How good it is cannot be said: the run holds no evaluation.`;
  const { evaluation: e, part } = judged;
  const compared = comparison(data);
  const against =
    compared?.baseline && compared.gain
      ? html` ${besides(compared)}`
      : html` No simpler score stands beside it.`;
  const reason = whyNoInterval([e.ap, e.auroc]);
  const within = (estimate: Evaluation['ap'], words: string) =>
    estimate.ci95 ? ` (${words}${interval(estimate)})` : '';
  return html`On the ${part} part its average precision is <b>${number(e.ap.value)}</b>${within(e.ap, '95\u00a0% interval ')} where always guessing gives ${number(e.n ? e.positives / e.n : null)}, its AUROC <b>${number(e.auroc.value)}</b>${within(e.auroc, '')} where chance gives 0.500.${reason && ` ${reason}`}${against}`;
}

function besides({ baseline, gain }: Comparison): Html {
  const name = baseline?.name ?? '';
  const value = number(baseline?.ap.value);
  const g = `${signed(gain?.value)}${gain?.ci95 ? `, 95\u00a0% ${interval(gain, 3, signed)}` : ''}`;
  if (!gain?.ci95)
    return html`The best simple score, \u201c${name}\u201d, reaches ${value}; whether the gap (${g}) is real cannot be told from this many storms.`;
  if (gain.ci95[0] > 0)
    return html`The best simple score, \u201c${name}\u201d, reaches ${value}: <b>the model is better</b> (${g}).`;
  if (gain.ci95[1] < 0)
    return html`The best simple score, \u201c${name}\u201d, reaches ${value}: <b>the model is worse</b> (${g}).`;
  return html`The best simple score, \u201c${name}\u201d, reaches ${value}: <b>the model does not beat it</b> by more than chance (${g}).`;
}

export function keyFigures(data: ReportData): Html | null {
  const judged = judgedPart(data);
  if (!judged) return null;
  const { evaluation: e, part } = judged;
  const base = e.n ? e.positives / e.n : null;
  const best = comparison(data)?.baseline;
  const figure = (name: string, estimate: Evaluation['ap'], beside: string) =>
    html`<div class="key"><span class="name">${name}</span><span class="value">${number(estimate.value)}</span><span class="range">${estimate.ci95 ? `95 %: ${interval(estimate)}` : (estimate.reason ?? 'no interval')}</span><span class="beside">${beside}</span></div>`;
  return html`<div class="keys-row" role="group" aria-label="${`Key figures of the ${part} part`}">
${figure(`Average precision, ${part}`, e.ap, `base rate ${number(base)}${best ? `; best simple score ${number(best.ap.value)}` : ''}`)}
${figure(`AUROC, ${part}`, e.auroc, `chance 0.500${best ? `; best simple score ${number(best.auroc.value)}` : ''}`)}
${figure('Brier skill', e.bss, 'against climatology; 0 is no skill')}
${figure('Events found', e.eventScores.pod, `of ${plural(e.events, 'labelled event')}; ${plural(e.eventScores.falseEvents, 'false event')}`)}
</div>`;
}
