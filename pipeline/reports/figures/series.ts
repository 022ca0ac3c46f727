/** One series on its time axis: probability, labelled storms, predicted events, anomaly score, parts of the split. */
import { PARTS } from '../../../schemas/records/index.js';
import type { ReportData } from '../data.js';
import { instant } from '../format.js';
import { type Html, html, raw } from '../html.js';
import { PART_COLOURS } from '../palette.js';

const WIDTH = 1100;
const LEFT = 98;
const RIGHT = 26;
const ROWS = {
  labels: 18,
  probability: 44,
  probabilityHeight: 120,
  events: 172,
  score: 196,
  scoreHeight: 46,
  parts: 254,
};
const HEIGHT = 296;

export interface TimeRow {
  svg: Html;
  /** Time at the left and right end of the axis, and their places in the picture, 0 to 1. */
  from: number;
  to: number;
  left: number;
  right: number;
}

/** Frames of one series, in time order. */
export function timeRow(data: ReportData, frames: readonly number[], name: string): TimeRow {
  const index = data.index!;
  const [from, last] = [index.time[frames[0]], index.time[frames[frames.length - 1]]];
  const step = data.store?.description.stepMs ?? (last - from) / Math.max(1, frames.length - 1);
  const to = Math.max(last, from + 1);
  const x = (time: number) => LEFT + ((WIDTH - LEFT - RIGHT) * (time - from + step / 2)) / (to - from + step);
  const kind = data.store?.description.time ?? 'utc';
  const span = (a: number, b: number) => ({
    x: x(index.time[a] - step / 2),
    width: Math.max(1.5, x(index.time[b] + step / 2) - x(index.time[a] - step / 2)),
  });
  const bars = (test: (f: number) => unknown, y: number, height: number, className: string) =>
    runs(frames, test).map(([a, b]) => {
      const { x: left, width } = span(a, b);
      return html`<rect class="${className}" x="${left.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${height}"/>`;
    });
  const { labels, predictions, scores, split } = data;
  const marks = [
    row('labels', ROWS.labels + 9),
    labels && bars((f) => labels.label[f] === 1, ROWS.labels, 12, 'mark-label'),
    row('probability', ROWS.probability + ROWS.probabilityHeight / 2),
    [0, 0.5, 1].map((p) => {
      const y = ROWS.probability + ROWS.probabilityHeight * (1 - p);
      return html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/><text class="tick" x="${LEFT - 6}" y="${y + 4}" text-anchor="end">${p}</text>`;
    }),
    predictions &&
      area(frames, (f) => predictions.probability[f], {
        x: (f) => x(index.time[f]),
        top: ROWS.probability,
        height: ROWS.probabilityHeight,
        gap: 1.5 * step,
        time: (f) => index.time[f],
      }),
    row('events', ROWS.events + 9),
    predictions &&
      bars(
        (f) => predictions.event[f] || (predictions.predicted[f] === 1 && 'on'),
        ROWS.events,
        12,
        'mark-event',
      ),
    row('anomaly', ROWS.score + ROWS.scoreHeight / 2),
    scores && scoreLine(frames, scores.score, (f) => x(index.time[f])),
    split && row('split', ROWS.parts + 9),
    split &&
      PARTS.flatMap((part, code) =>
        runs(frames, (f) => split.part[f] === code).map(([a, b]) => {
          const { x: left, width } = span(a, b);
          return html`<rect x="${left.toFixed(1)}" y="${ROWS.parts}" width="${width.toFixed(1)}" height="10" fill="${PART_COLOURS[code]}"><title>${part}</title></rect>`;
        }),
      ),
    ticks(from, to, x, kind),
  ];
  return {
    svg: html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${`Time axis of ${name}: probability, labelled storms, predicted events and anomaly score of ${frames.length} frames from ${instant(from, kind)} to ${instant(last, kind)}`}">${marks}<line class="cursor" x1="${LEFT}" x2="${LEFT}" y1="${ROWS.labels}" y2="${ROWS.parts + 12}"/></svg>`,
    from: from - step / 2,
    to: to + step / 2,
    left: LEFT / WIDTH,
    right: (WIDTH - RIGHT) / WIDTH,
  };
}

const row = (name: string, y: number): Html => html`<text class="row" x="0" y="${y + 1}">${name}</text>`;

/** Runs of consecutive frames for which `key` gives the same truthy value. */
function runs(frames: readonly number[], key: (f: number) => unknown): [number, number][] {
  const found: [number, number][] = [];
  for (let a = 0; a < frames.length; ) {
    const own = key(frames[a]);
    let b = a;
    while (b + 1 < frames.length && key(frames[b + 1]) === own) b++;
    if (own) found.push([frames[a], frames[b]]);
    a = b + 1;
  }
  return found;
}

interface AreaOptions {
  x: (f: number) => number;
  top: number;
  height: number;
  /** A longer step breaks the line, milliseconds. */
  gap: number;
  time: (f: number) => number;
}

function area(
  frames: readonly number[],
  value: (f: number) => number,
  { x, top, height, gap, time }: AreaOptions,
): Html {
  const base = top + height;
  let [line, fill] = ['', ''];
  let stretch: [number, number][] = [];
  const close = () => {
    if (stretch.length === 0) return;
    const points = stretch.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join('L');
    line += `M${points}`;
    fill += `M${stretch[0][0].toFixed(1)},${base}L${points}L${stretch[stretch.length - 1][0].toFixed(1)},${base}Z`;
    stretch = [];
  };
  let before = Number.NEGATIVE_INFINITY;
  for (const f of frames) {
    const v = value(f);
    if (Number.isNaN(v) || time(f) - before > gap) close();
    if (!Number.isNaN(v)) stretch.push([x(f), base - v * height]);
    before = time(f);
  }
  close();
  return html`<path class="area" d="${raw(fill)}"/><path class="curve" d="${raw(line)}"/>`;
}

function scoreLine(frames: readonly number[], score: Float64Array, x: (f: number) => number): Html {
  const sorted = frames
    .map((f) => score[f])
    .filter((v) => !Number.isNaN(v))
    .sort((a, b) => a - b);
  if (sorted.length === 0)
    return html`<text class="tick" x="${LEFT}" y="${ROWS.score + 20}">no scores</text>`;
  const [low, high] = [
    sorted[0],
    Math.max(sorted[Math.floor(0.995 * (sorted.length - 1))], sorted[0] + 1e-9),
  ];
  const y = (v: number) => ROWS.score + ROWS.scoreHeight * (1 - Math.min(1, (v - low) / (high - low)));
  const d = frames
    .filter((f) => !Number.isNaN(score[f]))
    .map((f) => `${x(f).toFixed(1)},${y(score[f]).toFixed(1)}`)
    .join('L');
  return html`<path class="anomaly" d="${raw(`M${d}`)}"/>`;
}

/** About eight ticks at whole years, months, days or hours. */
function ticks(from: number, to: number, x: (time: number) => number, kind: 'utc' | 'none'): Html[] {
  const times = kind === 'none' ? evenly(from, to) : tickTimes(from, to);
  const format = (time: number) =>
    kind === 'none' ? String(Math.round(time) + 1) : tickText(time, to - from);
  return times.map(
    (time) =>
      html`<line class="grid" x1="${x(time).toFixed(1)}" x2="${x(time).toFixed(1)}" y1="${ROWS.labels - 6}" y2="${ROWS.parts + 14}"/><text class="tick" x="${x(time).toFixed(1)}" y="${HEIGHT - 12}" text-anchor="middle">${format(time)}</text>`,
  );
}

const evenly = (from: number, to: number) =>
  Array.from({ length: 7 }, (_, i) => Math.round(from + ((to - from) * i) / 6));

const DAY = 86_400_000;
const STEPS = [1, 2, 3, 6, 12].map((h) => (h * DAY) / 24).concat([1, 2, 5, 10].map((d) => d * DAY));

export function tickTimes(from: number, to: number, wanted = 8): number[] {
  const span = to - from;
  const step = STEPS.find((s) => span / s <= wanted);
  if (step) {
    const first = Math.ceil(from / step) * step;
    return Array.from({ length: Math.floor((to - first) / step) + 1 }, (_, i) => first + i * step);
  }
  const months = [1, 3, 6, 12, 24, 60, 120].find((m) => span / (m * 30.44 * DAY) <= wanted) ?? 240;
  const start = new Date(from);
  const times: number[] = [];
  for (
    let m = Math.ceil((start.getUTCFullYear() * 12 + start.getUTCMonth()) / months) * months;
    ;
    m += months
  ) {
    const time = Date.UTC(Math.floor(m / 12), m % 12, 1);
    if (time > to) return times;
    if (time >= from) times.push(time);
  }
}

export function tickText(time: number, span: number): string {
  const iso = new Date(time).toISOString();
  const month = new Date(time).toLocaleString('en-US', { month: 'short', timeZone: 'UTC' });
  if (span > 8 * 30 * DAY) return `${month} ${iso.slice(0, 4)}`;
  return time % DAY === 0 ? `${Number(iso.slice(8, 10))} ${month}` : iso.slice(11, 16);
}
