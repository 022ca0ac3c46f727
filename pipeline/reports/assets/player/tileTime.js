/** The chosen tile over time: labels, probability, events, anomaly score. */
import { nearest } from './links.js';

const BOX = { width: 380, left: 70, right: 14 };
const LINES = { label: 8, top: 26, height: 80, event: 114, score: 132, scoreHeight: 34, ticks: 184 };
const DAY = 86_400_000;

/** Draws on `svg`; `go(frame)` when a time is clicked. Returns `draw(series, time)`. */
export function tileTime(svg, pack, go) {
  let shown = -1;
  svg.addEventListener('click', (event) => {
    const { left, width } = svg.getBoundingClientRect();
    const [from, to] = spanOf(pack, shown);
    const share =
      (((event.clientX - left) / width) * BOX.width - BOX.left) / (BOX.width - BOX.left - BOX.right);
    go(nearest(pack, shown, from + share * (to - from)));
  });
  return (series, time) => {
    if (series !== shown) svg.innerHTML = marksOf(pack, series);
    shown = series;
    const at = across(pack, series)(time).toFixed(1);
    const cursor = svg.querySelector('.cursor');
    for (const name of ['x1', 'x2']) cursor.setAttribute(name, at);
  };
}

const spanOf = ({ first, time }, series) => [time[first[series]], time[first[series + 1] - 1]];

function across(pack, series) {
  const [from, to] = spanOf(pack, series);
  return (time) => BOX.left + ((time - from) / Math.max(1, to - from)) * (BOX.width - BOX.left - BOX.right);
}

function marksOf(pack, series) {
  const x = across(pack, series);
  const frames = Array.from(
    { length: pack.first[series + 1] - pack.first[series] },
    (_, i) => pack.first[series] + i,
  );
  const base = LINES.top + LINES.height;
  const name = (text, y) => `<text class="row" x="0" y="${y}">${text}</text>`;
  const dots = (y, kind, on) =>
    frames
      .filter(on)
      .map(
        (f) =>
          `<rect class="${kind}" x="${(x(pack.time[f]) - 4).toFixed(1)}" y="${y}" width="8" height="8"/>`,
      );
  const level = (p) => {
    const y = base - p * LINES.height;
    return `<path class="grid" d="M${BOX.left} ${y}H${BOX.width - BOX.right}"/><text class="tick" x="${BOX.left - 6}" y="${y + 4}" text-anchor="end">${p}</text>`;
  };
  const curve = line(
    frames,
    (f) => pack.probability?.[f],
    (f) => x(pack.time[f]),
    (p) => base - p * LINES.height,
  );
  return [
    name('labels', LINES.label + 8),
    ...dots(LINES.label, 'mark-label', (f) => pack.label?.[f] === 1),
    [0, 0.5, 1].map(level).join(''),
    name('prob.', LINES.top + LINES.height / 2 + 4),
    curve && `<path class="area" d="${curve}V${base}H${BOX.left}Z"/><path class="curve" d="${curve}"/>`,
    name('events', LINES.event + 8),
    ...dots(LINES.event, 'mark-event', (f) => pack.predicted?.[f] === 1),
    pack.score && name('anomaly', LINES.score + LINES.scoreHeight / 2 + 4) + scoreLine(pack, frames, x),
    days(pack, series, x),
    `<line class="cursor" y1="${LINES.label - 4}" y2="${LINES.score + LINES.scoreHeight}"/>`,
  ].join('');
}

function line(frames, value, x, y) {
  const known = frames.filter((f) => value(f) !== undefined && !Number.isNaN(value(f)));
  return known.length ? `M${known.map((f) => `${x(f).toFixed(1)} ${y(value(f)).toFixed(1)}`).join('L')}` : '';
}

function scoreLine({ score, time }, frames, x) {
  const known = frames.map((f) => score[f]).filter((v) => !Number.isNaN(v));
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const y = (v) => LINES.score + LINES.scoreHeight * (1 - (v - low) / Math.max(1e-9, high - low));
  return `<path class="anomaly" d="${line(
    frames,
    (f) => score[f],
    (f) => x(time[f]),
    y,
  )}"/>`;
}

/** A tick at midnight, every so many days. */
function days(pack, series, x) {
  if (pack.clock === 'none') return '';
  const [from, to] = spanOf(pack, series);
  const step = DAY * Math.max(1, Math.ceil((to - from) / DAY / 5));
  const ticks = [];
  for (let t = Math.ceil(from / DAY) * DAY; t <= to; t += step) {
    const text = new Date(t).toLocaleString('en-US', { month: 'short', day: 'numeric', timeZone: 'UTC' });
    const [month, day] = text.split(' ');
    ticks.push(
      `<path class="grid" d="M${x(t).toFixed(1)} ${LINES.label - 4}V${LINES.score + LINES.scoreHeight}"/><text class="tick" x="${x(t).toFixed(1)}" y="${LINES.ticks}" text-anchor="middle">${day} ${month}</text>`,
    );
  }
  return ticks.join('');
}
