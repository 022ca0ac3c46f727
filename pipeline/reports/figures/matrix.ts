/**
 * Many series at once: time downwards, place across (a Hovmoeller diagram), one panel a latitude; series without
 * places stand side by side in one panel. A storm that moves east draws a slanting line.
 */
import type { ReportData } from '../data.js';
import { instant, latitude, longitude } from '../format.js';
import { NOTHING } from '../frames/quantise.js';
import { type Html, html, raw } from '../html.js';
import { plainPixels, pngUri } from '../maps/raster.js';
import { boxOf } from '../maps/stage.js';
import { type Rgb, table } from '../palette.js';
import { tickText } from './series.js';

export interface Panel {
  title: string;
  /** Series index of each column; -1 where the longitude has none. */
  columns: number[];
  /** Longitude of each column; NaN without places. */
  lon: number[];
}

const LEFT = 46;
const TOP = 20;
const BOTTOM = 6;
const WIDTH = 520;

/** Panels from north to south, columns from west to east. */
export function panelsOf({ index, store }: ReportData): Panel[] {
  const names = index!.seriesNames;
  const description = store?.description;
  const boxes = new Map(description?.series.map((s) => [s.name, boxOf(s, description)]) ?? []);
  const all = names.map((name, series) => ({ series, box: boxes.get(name) ?? null }));
  if (!description || all.some(({ box }) => box === null))
    return [{ title: 'Series', columns: all.map((s) => s.series), lon: all.map(() => Number.NaN) }];
  const rows = new Map<number, { series: number; lon: number }[]>();
  for (const { series, box } of all) {
    const lat = Math.round((box![1] + box![3]) / 2);
    const lon = ((((box![0] + box![2]) / 2) % 360) + 360) % 360;
    rows.set(lat, [...(rows.get(lat) ?? []), { series, lon }]);
  }
  return [...rows]
    .sort((a, b) => b[0] - a[0])
    .map(([lat, row]) => {
      row.sort((a, b) => a.lon - b.lon);
      return {
        title: `Tiles centred at ${latitude(lat)}`,
        columns: row.map((r) => r.series),
        lon: row.map((r) => r.lon),
      };
    });
}

export interface MatrixOptions {
  /** 0 to 1; NaN for nothing. */
  value: (frame: number) => number;
  ramp: readonly Rgb[];
  /** What the picture shows, for screen readers. */
  label: string;
  storm: (frame: number) => boolean;
  /** Marks the columns of the test part. */
  test?: (frame: number) => boolean;
}

export async function matrixPanel(data: ReportData, panel: Panel, options: MatrixOptions): Promise<Html> {
  const index = data.index!;
  const kind = data.store?.description.time ?? 'utc';
  const { cells, times } = cellsOf(data, panel);
  const [width, height] = [panel.columns.length, times.length];
  const bytes = Uint8Array.from(cells, (f) => {
    const v = f < 0 ? Number.NaN : options.value(f);
    return Number.isNaN(v) ? NOTHING : Math.round(254 * Math.min(1, Math.max(0, v)));
  });
  const image = await pngUri(plainPixels({ bytes, width, height }, table(options.ramp)));
  const [cw, ch] = [(WIDTH - LEFT) / width, Math.min(14, Math.max(2, 300 / height))];
  const at = (c: number, r: number): [string, string] => [
    (LEFT + (c + 0.5) * cw).toFixed(1),
    (TOP + (r + 0.5) * ch).toFixed(1),
  ];
  let dots = '';
  cells.forEach((f, i) => {
    if (f >= 0 && options.storm(f)) dots += `M${at(i % width, Math.floor(i / width)).join(' ')}h0`;
  });
  const testColumns = panel.columns.map((_, c) =>
    cells.some((f, i) => i % width === c && f >= 0 && options.test?.(f)),
  );
  const link = JSON.stringify({
    columns: panel.columns,
    times,
    left: LEFT / WIDTH,
    top: TOP,
    height: ch * height,
    full: TOP + ch * height + BOTTOM,
  });
  const total = TOP + ch * height + BOTTOM;
  const name = `${options.label}. ${panel.title}: ${width} series across, ${height} times downwards from ${instant(index.time[cells.find((f) => f >= 0) ?? 0], kind)}`;
  return html`<figure class="matrix"><figcaption>${panel.title}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${total.toFixed(1)}" role="img" aria-label="${name}" data-matrix="${link}">
<image href="${image}" x="${LEFT}" y="${TOP}" width="${WIDTH - LEFT}" height="${(ch * height).toFixed(1)}" preserveAspectRatio="none" style="image-rendering:pixelated"/>
<path class="dots" d="${raw(dots)}" stroke-width="${Math.min(cw, ch, 9) * 0.42}"/>
${runsOf(testColumns).map(([a, b]) => html`<path class="test-bracket" d="M${LEFT + a * cw + 1} ${TOP - 1}v-4H${LEFT + b * cw - 1}v4"/><text class="tick" x="${LEFT + ((a + b) / 2) * cw}" y="${TOP - 8}" text-anchor="middle">test</text>`)}
${columnTicks(panel, testColumns).map(([c, text]) => html`<text class="tick" x="${(LEFT + (c + 0.5) * cw).toFixed(1)}" y="${TOP - 8}" text-anchor="middle">${text}</text>`)}
${rowTicks(times, kind).map(([r, text]) => html`<text class="tick" x="${LEFT - 5}" y="${(TOP + (r + 0.5) * ch + 4).toFixed(1)}" text-anchor="end">${text}</text>`)}
<rect class="cell-cursor" width="${cw.toFixed(2)}" height="${ch.toFixed(2)}" x="-99" y="0"/></svg></figure>`;
}

/** Frame of each cell, row by row; -1 where a series has no frame at that time. */
function cellsOf({ index }: ReportData, { columns }: Panel): { cells: Int32Array; times: number[] } {
  const place = new Map(columns.map((series, c) => [series, c]));
  const own = [...index!.time.keys()].filter((f) => place.has(index!.series[f]));
  const times = [...new Set(own.map((f) => index!.time[f]))].sort((a, b) => a - b);
  const row = new Map(times.map((t, r) => [t, r]));
  const cells = new Int32Array(times.length * columns.length).fill(-1);
  for (const f of own) cells[row.get(index!.time[f])! * columns.length + place.get(index!.series[f])!] = f;
  return { cells, times };
}

function runsOf(on: boolean[]): [number, number][] {
  const found: [number, number][] = [];
  for (let a = 0; a < on.length; a++) {
    if (!on[a]) continue;
    let b = a;
    while (b < on.length && on[b]) b++;
    found.push([a, b]);
    a = b;
  }
  return found.length === 1 && found[0][1] - found[0][0] === on.length ? [] : found;
}

/** Every 60 degrees, but not where the bracket of the test part stands. */
function columnTicks({ lon }: Panel, test: boolean[]): [number, string][] {
  const found: [number, string][] = [];
  for (const wanted of [0, 60, 120, 180, 240, 300]) {
    const c = lon.findIndex((l) => l >= wanted && l < wanted + 60);
    const near = test.slice(Math.max(0, c - 2), c + 3).some(Boolean) && test.some((t) => !t);
    if (c >= 0 && !near && lon[c] - wanted < 20) found.push([c, longitude(lon[c])]);
  }
  return found;
}

/** The first row of each day, or about eight rows. */
function rowTicks(times: number[], kind: 'utc' | 'none'): [number, string][] {
  const step = Math.max(1, Math.round(times.length / 8));
  const span = times[times.length - 1] - times[0];
  if (kind === 'none' || span > 14 * 86_400_000)
    return times
      .map((t, r): [number, string] => [
        r,
        kind === 'none' ? String(t + 1) : tickText(t - (t % 86_400_000), span),
      ])
      .filter(([r]) => r % step === 0);
  const day = (t: number) => Math.floor(t / 86_400_000);
  return times.flatMap((t, r): [number, string][] =>
    r === 0 || day(t) !== day(times[r - 1]) ? [[r, tickText(day(t) * 86_400_000, span)]] : [],
  );
}
