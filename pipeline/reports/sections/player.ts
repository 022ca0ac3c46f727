/** The map the page opens on, its controls, and the frame under the hand. Drawn once here, brought to life by player.js. */
import { PARTS } from '../../../schemas/records/index.js';
import type { ReportData } from '../data.js';
import { instant, number } from '../format.js';
import type { Fields } from '../frames/fields.js';
import { type Html, html, raw } from '../html.js';
import { joinBoxes } from '../maps/outlines.js';
import { plainPixels, pngUri, worldPixels } from '../maps/raster.js';
import { boxOf, type Stage, southUp } from '../maps/stage.js';
import type { World } from '../maps/world.js';
import { FIELD, gradient, table } from '../palette.js';

export interface PlayerInput {
  data: ReportData;
  stage: Stage;
  fields: Fields | null;
  world: World | null;
  /** Frame the page opens on. */
  opening: number;
}

export async function player(input: PlayerInput): Promise<Html> {
  const { data, stage, fields } = input;
  const { index, predictions, attention, events } = data;
  if (!index || !fields)
    return html`<div class="missing">No maps to show: the dataset could not be read.</div>`;
  const tiles = stage.mosaic !== null;
  const picture = input.world && stage.mosaic ? await worldSvg(input, input.world) : await frameSvg(input);
  return html`<div class="player" id="player" data-opening="${input.opening}">
<figure class="stage-figure">
<div class="stage-scroll" tabindex="0" role="group" aria-label="Map">${picture}</div>
<figcaption class="stage-caption"><span id="stage-time" class="stage-time">${instant(index.time[input.opening], data.store?.description.time)}</span><span class="legend-note">${legend(data, tiles)}</span>${colourBar(fields)}</figcaption>
</figure>
<div class="controls needs-script" role="group" aria-label="Frames">
<button type="button" id="play" class="primary" aria-pressed="false">Play</button>
<button type="button" id="previous" aria-label="One frame back">\u2190</button>
<input type="range" id="scrub" min="0" max="1" value="0" step="1" aria-label="Time">
<button type="button" id="next" aria-label="One frame on">\u2192</button>
${events && events.length > 0 && html`<button type="button" id="previous-event">Previous event</button><button type="button" id="next-event">Next event</button>`}
</div>
<div class="controls needs-script second" role="group" aria-label="What is drawn">
${index.seriesNames.length > 1 && html`<label>Series <select id="series"></select></label>`}
${fields.bands.length > 1 && html`<label>Field <select id="band">${fields.bands.map((b, i) => html`<option value="${i}">${b.name}</option>`)}</select></label>`}
<label class="check"><input type="checkbox" id="departure"> Departure from the mean of these times</label>
${attention && html`<label class="check"><input type="checkbox" id="overlay" checked> Where the model looked</label>`}
</div>
<div class="under">
${tiles && html`<figure class="detail needs-script"><canvas id="detail" width="480" height="480" role="img" aria-label="Frame of the chosen tile"></canvas><figcaption>${detailCaption(data)}</figcaption></figure>`}
<dl class="readout needs-script" id="readout" aria-live="polite"></dl>
${tiles && html`<figure class="tile-time needs-script"><figcaption>This tile over time</figcaption><svg id="tile-time" viewBox="0 0 380 190" role="img" aria-label="Probability, labels, events and anomaly score of the chosen tile over time"></svg></figure>`}
</div>
<p class="keys needs-script"><kbd>\u2190</kbd> <kbd>\u2192</kbd> step \u00b7 <kbd>Space</kbd> play${predictions && events?.length ? html` \u00b7 <kbd>N</kbd> <kbd>P</kbd> next, previous event` : ''}${attention && html` \u00b7 <kbd>A</kbd> attention`}${!fields.whole && html` \u00b7 not every frame is in this file: ${fields.keys.length} were chosen, test part and storms first`}</p>
<noscript><p class="missing">Without scripts this page shows one map and all figures and tables; the scrubber needs scripts.</p></noscript>
</div>`;
}

function detailCaption(data: ReportData): string {
  const { grid, series } = data.store!.description;
  const turned = series.some((s) => s.tile?.flip);
  return `The chosen tile, ${grid.width} \u00d7 ${grid.height} cells, north up.${hasCentres(data) ? ' The cross marks the labelled centre.' : ''}${turned ? ' For the model southern tiles are turned over.' : ''}`;
}

const hasCentres = ({ labels }: ReportData) => labels?.lat.some((lat) => !Number.isNaN(lat)) ?? false;

/** What the marks mean, each beside a picture of it. */
function legend(data: ReportData, tiles: boolean): Html {
  const { predictions, labels, attention } = data;
  const sign = (shape: string, words: string) =>
    html`<span><svg viewBox="0 0 18 18" aria-hidden="true"><rect width="18" height="18" rx="4" fill="#38608f"/>${raw(shape)}</svg>${words}</span>`;
  const disc = (r: number, fill: string) =>
    `<circle cx="9" cy="9" r="${r}" fill="${fill}" stroke="#11181f" stroke-opacity="0.6"/>`;
  const ring =
    '<circle cx="9" cy="9" r="5.5" fill="none" stroke="#11181f" stroke-width="3"/><circle cx="9" cy="9" r="5.5" fill="none" stroke="#fff" stroke-width="1.6"/>';
  const cross =
    '<path d="M9 3.5v11M3.5 9h11" stroke="#11181f" stroke-width="5"/><path d="M9 3.5v11M3.5 9h11" stroke="#fff" stroke-width="2"/>';
  const looked =
    '<ellipse cx="9" cy="9" rx="6" ry="4.2" fill="none" stroke="#11181f" stroke-width="4"/><ellipse cx="9" cy="9" rx="6" ry="4.2" fill="none" stroke="#ff8a1f" stroke-width="2"/>';
  return html`${tiles && predictions && sign(disc(5.5, '#ff7f2a'), 'tile called storm')}${tiles && predictions && sign(disc(3, '#fff'), 'tile called calm; larger is likelier')}${tiles && labels && sign(ring, 'labelled storm')}${!tiles && hasCentres(data) && sign(cross, 'labelled centre')}${attention && sign(looked, 'where the model looked')}`;
}

export function colourBar({ bands }: Fields): Html {
  const [band] = bands;
  return html`<span class="bar"><span id="bar-name">${band.name}</span><span class="bar-row"><span id="bar-low">${tidy(band.low)}</span><span id="bar-ramp" class="ramp" style="background:${gradient(FIELD)}"></span><span id="bar-high">${tidy(band.high)}</span> <span id="bar-unit">${band.unit}</span></span></span>`;
}

const tidy = (v: number) => number(v, Math.abs(v) >= 100 ? 0 : Math.abs(v) >= 1 ? 1 : 3);

/** All tiles of the opening time on the world. */
export async function worldSvg({ data, stage, fields, opening }: PlayerInput, world: World): Promise<Html> {
  const { index, store, split } = data;
  const time = index!.time[opening];
  const key = Math.max(0, fields!.keys.indexOf(time));
  const size = fields!.width * fields!.height;
  const from = key * fields!.bands.length * size;
  const field = {
    bytes: fields!.bytes.subarray(from, from + size),
    width: fields!.width,
    height: fields!.height,
  };
  const image = await pngUri(worldPixels(field, stage.mosaic!, world, table(FIELD), 1.4));
  const description = store!.description;
  const boxes = new Map(description.series.map((s) => [s.name, boxOf(s, description)]));
  const test = index!.seriesNames.filter(
    (_, s) => split && PARTS[split.part[firstFrame(data, s)]] === 'test',
  );
  const outlines = joinBoxes(
    test.map((name) => boxes.get(name)).filter((b) => b !== null && b !== undefined),
  );
  const marks = index!.seriesNames.map((name, s) => tileMark(data, s, boxes.get(name) ?? null, time, world));
  return html`<div class="stage world" style="--ratio:${world.width}/${world.height}"><canvas id="stage" width="${Math.round(world.width * 1.4)}" height="${Math.round(world.height * 1.4)}" aria-hidden="true"></canvas>
<svg viewBox="0 0 ${world.width} ${world.height}" role="img" aria-label="World map of ${fields!.bands[0].name} where tiles cover it, with the probability of a storm for each tile">
<path class="sphere" d="${raw(world.sphere)}"/>
<image id="stage-static" href="${image}" width="${world.width}" height="${world.height}"/>
<path class="graticule" d="${raw(world.graticule)}"/>
<path class="coast-halo" d="${raw(world.coast)}"/><path class="coast" d="${raw(world.coast)}"/>
${outlines.map(([w, s, e, n]) => html`<path class="test-area" d="${raw(world.box(w, s, e, n))}"/>`)}
${outlines.slice(0, 1).map(([w, s, e]) => testName(world, (w + e) / 2, s))}
<g id="marks">${marks}</g></svg></div>`;
}

/** Below the outline, where the map is mostly empty. */
function testName(world: World, lon: number, south: number): Html {
  const [x, y] = world.project(lon, south);
  return html`<text class="test-name" x="${x.toFixed(1)}" y="${(y + 16).toFixed(1)}" text-anchor="middle">test tiles, unseen in training</text>`;
}

function tileMark(
  data: ReportData,
  s: number,
  box: readonly number[] | null,
  time: number,
  world: World,
): Html | null {
  if (!box) return null;
  const [x, y] = world.project((box[0] + box[2]) / 2, (box[1] + box[3]) / 2);
  const f = frameAt(data, s, time);
  const p = f >= 0 ? (data.predictions?.probability[f] ?? Number.NaN) : Number.NaN;
  const on = f >= 0 && data.predictions?.predicted[f] === 1;
  const storm = f >= 0 && data.labels?.label[f] === 1;
  return html`<g class="tile${on && ' on'}${storm && ' storm'}" data-series="${s}" transform="translate(${x.toFixed(1)} ${y.toFixed(1)})"><circle class="hit" r="8"/><circle class="label-ring" r="6.2"/><circle class="p" r="${markRadius(p)}"/></g>`;
}

/** Area grows with probability. */
const markRadius = (p: number) => (Number.isNaN(p) ? '0' : Math.max(0.7, 4.6 * Math.sqrt(p)).toFixed(2));

function firstFrame({ index }: ReportData, s: number): number {
  return index!.series.indexOf(s);
}

function frameAt({ index }: ReportData, s: number, time: number): number {
  for (let f = index!.series.indexOf(s); f >= 0 && f < index!.length && index!.series[f] === s; f++)
    if (index!.time[f] === time) return f;
  return -1;
}

/** One frame of one series, or the mosaic of a place that is not the whole world. */
async function frameSvg({ data, stage, fields, opening }: PlayerInput): Promise<Html> {
  const f = fields!;
  const description = data.store!.description;
  const size = f.width * f.height;
  const key = Math.max(0, f.keys.indexOf(stage.mosaic ? data.index!.time[opening] : opening));
  const field = {
    bytes: f.bytes.subarray(key * f.bands.length * size, (key * f.bands.length + 1) * size),
    width: f.width,
    height: f.height,
  };
  const series = description.series.find(
    (s) => s.name === data.index!.seriesNames[data.index!.series[opening]],
  );
  const flip = !stage.mosaic && series ? southUp(series, description) : false;
  const enlarge = Math.max(1, Math.min(8, Math.round(560 / Math.max(f.width, f.height))));
  const image = await pngUri(plainPixels(field, table(FIELD), { flip }), { enlarge });
  const ratio = frameRatio(data, stage, f);
  const height = 720;
  const width = Math.round(height * ratio);
  return html`<div class="stage map" style="--ratio:${width}/${height}"><canvas id="stage" width="${width}" height="${height}" role="img" aria-label="${f.bands[0].name} of the frame shown, with coast lines and where the model looked"></canvas><img id="stage-static" src="${image}" alt="${f.bands[0].name} of the surest storm frame"></div>`;
}

/** Width over height on the ground: degrees of longitude shrink with latitude. */
export function frameRatio({ store }: ReportData, stage: Stage, fields: Fields): number {
  const description = store!.description;
  const m = stage.mosaic;
  const box =
    m?.west != null
      ? ([m.west, m.north! + m.dy * m.height, m.west + m.dx * m.width, m.north!] as const)
      : stage.kind === 'map'
        ? description.series.map((s) => boxOf(s, description)).find((b) => b !== null)
        : null;
  if (!box) return fields.width / fields.height;
  const [w, s, e, n] = box;
  return ((e - w) * Math.max(0.2, Math.cos((((s + n) / 2) * Math.PI) / 180))) / (n - s);
}
