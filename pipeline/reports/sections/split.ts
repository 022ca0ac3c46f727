/** What was trained on and what was judged: in time, in space, in words; in red where it leaks. */
import { PARTS } from '../../../schemas/records/index.js';
import type { ReportData } from '../data.js';
import { tickText, tickTimes } from '../figures/series.js';
import { count, duration, instant, number } from '../format.js';
import { type Html, html, raw } from '../html.js';
import { joinBoxes } from '../maps/outlines.js';
import { boxOf } from '../maps/stage.js';
import { world } from '../maps/world.js';
import { PART_COLOURS } from '../palette.js';

export function leakBanner({ split }: ReportData): Html | null {
  if (!split?.leaky) return null;
  return html`<div class="warning" role="alert">This split leaks: frames of one place and storm may lie in both training and test. Every figure on this page is too good by an unknown amount.</div>`;
}

export function splitSection(data: ReportData): Html {
  const { split } = data;
  if (!split || !data.index) return html`<p class="missing">No split in this run.</p>`;
  return html`${leakBanner(data)}${partTable(data)}
<div class="panels">${timeParts(data)}${spaceParts(data)}</div>
${split.notes.length > 0 && html`<h3>What this split can and cannot show</h3><ul class="notes">${split.notes.map((n) => html`<li>${n}</li>`)}</ul>`}`;
}

function partTable({ index, split, labels }: ReportData): Html {
  const rows = PARTS.map((part, code) => {
    const frames = [...index!.time.keys()].filter((f) => split!.part[f] === code);
    const storms = labels ? frames.filter((f) => labels.label[f] === 1).length : null;
    const [from, to] = frames.reduce(
      ([a, b], f) => [Math.min(a, index!.time[f]), Math.max(b, index!.time[f])],
      [Infinity, -Infinity],
    );
    return {
      part,
      code,
      n: frames.length,
      storms,
      series: new Set(frames.map((f) => index!.series[f])).size,
      from,
      to,
    };
  }).filter((r) => r.n > 0);
  return html`<p class="sub">Split by ${split!.by}, embargo ${duration(split!.embargoMs)}.</p><div class="table"><table><thead><tr><th>Part</th><th class="n">Frames</th><th class="n">Storm frames</th><th class="n">Base rate</th><th class="n">Series</th><th>From</th><th>To</th></tr></thead><tbody>
${rows.map((r) => html`<tr><td><i class="swatch" style="background:${PART_COLOURS[r.code]}"></i> ${r.part}</td><td class="n">${count(r.n)}</td><td class="n">${r.storms === null ? 'n/a' : count(r.storms)}</td><td class="n">${number(r.storms === null ? null : r.storms / r.n)}</td><td class="n">${count(r.series)}</td><td>${instant(r.from)}</td><td>${instant(r.to)}</td></tr>`)}
</tbody></table></div>`;
}

const W = 520;
const LEFT = 84;

/** One bar a part; the height of a slice is the share of series that it holds at that time. */
function timeParts({ index, split, labels, store }: ReportData): Html {
  const [from, to] = index!.time.reduce(
    ([a, b], t) => [Math.min(a, t), Math.max(b, t)],
    [Infinity, -Infinity],
  );
  const bins = Math.min(260, new Set(index!.time).size);
  const bin = (t: number) => Math.min(bins - 1, Math.floor(((t - from) / Math.max(1, to - from)) * bins));
  const codes = PARTS.map((_, c) => c).filter((c) => split!.part.includes(c));
  const totals = new Float64Array(bins);
  const counts = codes.map(() => new Float64Array(bins));
  const storms = new Uint8Array(bins);
  for (let f = 0; f < index!.length; f++) {
    const b = bin(index!.time[f]);
    totals[b]++;
    counts[codes.indexOf(split!.part[f])][b]++;
    if (labels?.label[f] === 1) storms[b] = 1;
  }
  const width = (W - LEFT) / bins;
  const rowHeight = 30;
  const bars = codes.map((code, r) => {
    let d = '';
    for (let b = 0; b < bins; b++) {
      const h = totals[b] ? (counts[r][b] / totals[b]) * 22 : 0;
      if (h > 0)
        d += `M${(LEFT + b * width).toFixed(2)} ${rowHeight * r + 26}h${(width + 0.05).toFixed(2)}v${(-h).toFixed(1)}h${(-width - 0.05).toFixed(2)}z`;
    }
    return html`<text class="row" x="0" y="${rowHeight * r + 20}">${PARTS[code]}</text><path d="${raw(d)}" fill="${PART_COLOURS[code]}"/>`;
  });
  const y = rowHeight * codes.length + 8;
  let ticks = '';
  storms.forEach((s, b) => {
    if (s)
      ticks += `M${(LEFT + b * width).toFixed(2)} ${y}h${Math.max(1, width).toFixed(2)}v9h${(-Math.max(1, width)).toFixed(2)}z`;
  });
  const x = (t: number) => LEFT + ((t - from) / Math.max(1, to - from)) * (W - LEFT);
  const times = store?.description.time === 'none' ? [] : tickTimes(from, to, 5);
  return html`<figure><figcaption>In time</figcaption><svg viewBox="0 0 ${W} ${y + 36}" role="img" aria-label="Which times belong to which part; the table above has the dates">${bars}<text class="row" x="0" y="${y + 9}">storms</text><path class="mark-label" d="${raw(ticks)}"/>
${times.map((t) => html`<text class="tick" x="${Math.min(W - 18, Math.max(LEFT + 14, x(t))).toFixed(1)}" y="${y + 30}" text-anchor="middle">${tickText(t, to - from)}</text>`)}</svg></figure>`;
}

/** Joined footprints of each part on the world; null where series have no place. */
function spaceParts({ index, split, store }: ReportData): Html | null {
  if (!store) return null;
  const { description } = store;
  const partsOf = new Map<string, Set<number>>();
  for (let f = 0; f < index!.length; f++) {
    const name = index!.seriesNames[index!.series[f]];
    partsOf.set(name, (partsOf.get(name) ?? new Set()).add(split!.part[f]));
  }
  const placed = description.series.map((s) => ({
    box: boxOf(s, description),
    parts: partsOf.get(s.name) ?? new Set<number>(),
  }));
  if (placed.every((p) => p.box === null))
    return html`<figure><figcaption>In space</figcaption><p class="sub-caption">These maps have no fixed place.</p></figure>`;
  const globe = world({ south: -78, north: 82 });
  // Tiles outside all parts overlap the others; they lie below and have no edge.
  const areas = [4, 3, 0, 1, 2].map((code) => {
    const boxes = joinBoxes(placed.filter((p) => p.box && p.parts.has(code)).map((p) => p.box!));
    const shapes = boxes.map(([w, s, e, n]) => filled(globe, w, s, e, n)).join('');
    const edge = code < 3 ? html` stroke="${PART_COLOURS[code]}" stroke-width="2"` : null;
    return html`<path d="${raw(shapes)}" fill="${PART_COLOURS[code]}" fill-opacity="${code < 3 ? 0.5 : 0.35}"${edge}/>`;
  });
  return html`<figure><figcaption>In space</figcaption><svg viewBox="0 0 ${globe.width} ${globe.height}" role="img" aria-label="Footprints of the series, coloured by part"><path class="sphere" d="${raw(globe.sphere)}"/><path class="graticule" d="${raw(globe.graticule)}"/>${areas}<path class="coast" d="${raw(globe.coast)}"/></svg>
${placed.some((p) => p.parts.size > 1) && html`<p class="sub-caption">The parts share this place; they lie apart in time.</p>`}
<p class="swatches">${PARTS.map((p, i) => (split!.part.includes(i) ? html`<span><i class="swatch" style="background:${PART_COLOURS[i]}"></i>${p}</span>` : null))}</p></figure>`;
}

/** A box as polygons, cut at 180 degrees. */
function filled(
  globe: ReturnType<typeof world>,
  west: number,
  south: number,
  east: number,
  north: number,
): string {
  if (east > 180 && west < 180)
    return filled(globe, west, south, 180, north) + filled(globe, -180, south, east - 360, north);
  if (west >= 180) return filled(globe, west - 360, south, east - 360, north);
  const steps = Math.max(2, Math.ceil((north - south) / 2));
  const side = (lon: number, up: boolean) =>
    Array.from({ length: steps + 1 }, (_, i) => {
      const share = up ? i / steps : 1 - i / steps;
      return globe
        .project(lon, south + share * (north - south))
        .map((v) => v.toFixed(1))
        .join(',');
    });
  return `M${[...side(west, true), ...side(east, false)].join('L')}Z`;
}
