/** The report as one HTML file: no network, scripts and styles inside. Pure: data in, text out. */
import type { ReportData } from './data.js';
import { count, instant } from './format.js';
import { packAttention } from './frames/attention.js';
import { openingFrame } from './frames/choose.js';
import { readFields } from './frames/fields.js';
import { payload } from './frames/payload.js';
import { type Html, html, raw, scriptJson } from './html.js';
import { type Stage, stageOf } from './maps/stage.js';
import { type World, world } from './maps/world.js';
import { playerScript } from './script.js';
import { anomalySection } from './sections/anomaly.js';
import { evaluationSection, ladderSection } from './sections/evaluation.js';
import { eventsSection } from './sections/events.js';
import { gallerySection } from './sections/gallery.js';
import { player } from './sections/player.js';
import { missingList, provenanceSection } from './sections/provenance.js';
import { scalesSection } from './sections/scales.js';
import { leakBanner, splitSection } from './sections/split.js';
import { timeSection } from './sections/time.js';
import { trainingSection } from './sections/training.js';
import { keyFigures, verdict } from './sections/verdict.js';
import { pageStyle } from './style.js';

/** No file grows beyond this. */
export const SIZE_BUDGET = 20_000_000;

export async function buildPage(data: ReportData): Promise<string> {
  const stage: Stage = data.store ? stageOf(data.store.description) : { kind: 'plain', mosaic: null };
  const globe = stage.kind === 'world' ? worldOf(stage) : null;
  const fields = await readFields(data, stage);
  const attention = packAttention(data);
  const packed = payload({ data, stage, fields, attention, world: globe });
  const opening = packed?.opening ?? openingFrame(data);
  const sections: [id: string, title: string, body: Html | null][] = [
    ['time', 'When', await timeSection(data)],
    ['events', 'Events', eventsSection(data)],
    ['frames', 'Frames worth a look', gallerySection(data, fields)],
    ['scales', 'Which scales counted', scalesSection(data)],
    ['ladder', 'Is the model worth it?', ladderSection(data)],
    ['evaluation', 'How sure, and is it right?', evaluationSection(data)],
    ['split', 'What was trained on, what was tested', splitSection(data)],
    ['anomaly', 'How unusual', await anomalySection(data)],
    ['training', 'Training', trainingSection(data)],
    ['provenance', 'Where it comes from', provenanceSection(data)],
  ];
  const shown = sections.filter(([, , body]) => body !== null && body.text.trim() !== '');
  const page = html`<!doctype html>
<html lang="en" class="no-script"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${data.title}</title><link rel="icon" href="data:,"><style>${raw(pageStyle())}</style>
<script>document.documentElement.classList.remove('no-script')</script></head><body>
<a class="skip" href="#main">Skip to the report</a>
<header class="top"><p class="kicker"><b>stormreel</b> \u00b7 ${extent(data)}</p><h1>${data.title}</h1></header>
<main id="main">${leakBanner(data)}${verdict(data)}
${await player({ data, stage, fields, world: globe, opening })}
${keyFigures(data)}${data.about && html`<p class="about">${data.about}</p>`}
<nav class="contents" aria-label="Sections">${shown.map(([id, title]) => html`<a href="#${id}">${title}</a>`)}</nav>
${missingList(data)}
${shown.map(([id, title, body]) => html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>${body}</section>`)}
</main><footer><p>Written by stormreel from the stored records of the run; nothing on this page was computed anew or fetched.</p></footer>
<script type="application/json" id="payload">${scriptJson(packed)}</script>
<script type="module">${raw(playerScript())}</script></body></html>`;
  return `${page.text}\n`;
}

function extent({ index, store, provenance }: ReportData): string {
  if (!index || index.length === 0) return 'no frames';
  const [from, to] = index.time.reduce(
    ([a, b], t) => [Math.min(a, t), Math.max(b, t)],
    [Infinity, -Infinity],
  );
  const kind = store?.description.time ?? 'utc';
  const span = kind === 'utc' ? `, ${instant(from)} to ${instant(to)}` : '';
  const series = index.seriesNames.length > 1 ? ` in ${count(index.seriesNames.length)} series` : '';
  return `${count(index.length)} frames${series}${span}${provenance ? ` \u00b7 dataset ${provenance.dataset.hash.slice(0, 12)}` : ''}`;
}

const MARGIN_DEGREES = 9;

export function worldOf({ mosaic }: Stage): World {
  const [a, b] = [mosaic!.north!, mosaic!.north! + mosaic!.dy * mosaic!.height];
  return world({
    south: Math.max(-90, Math.min(a, b) - MARGIN_DEGREES),
    north: Math.min(90, Math.max(a, b) + MARGIN_DEGREES),
  });
}
