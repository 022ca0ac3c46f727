/** Numbers, times and the readout beside the map. */
import { seriesOf } from './field.js';

export const PART_NAMES = ['train', 'validation', 'test', 'embargo', 'none'];

export function timeText({ clock }, time) {
  if (clock === 'none') return `picture ${time + 1}`;
  const iso = new Date(time).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, iso.slice(17, 19) === '00' ? 16 : 19)} UTC`;
}

export function numberText(value, digits = 3) {
  if (value === undefined || value === null || Number.isNaN(value)) return 'n/a';
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? (0).toFixed(digits) : text).replace('-', '\u2212');
}

/** A probability: never printed as a certainty. */
export function chanceText(p) {
  const text = numberText(p);
  return text === '1.000' ? '> 0.999' : text === '0.000' ? '< 0.001' : text;
}

export const tidyText = (v) => numberText(v, Math.abs(v) >= 100 ? 0 : Math.abs(v) >= 1 ? 1 : 3);

/** [term, words, class] of a frame, one a line. */
export function readoutOf(pack, frame) {
  if (frame < 0) return [['Frame', 'none of this series at this time', '']];
  const { name, label } = pack.series[seriesOf(pack, frame)];
  const lines = [];
  if (pack.series.length > 1)
    lines.push([pack.mosaic ? 'Tile' : 'Series', label === name ? name : `${label} (${name})`, '']);
  lines.push(['Frame', timeText(pack, pack.time[frame]), '']);
  if (pack.bad.has(frame)) lines.push(['Bad frame', pack.bad.get(frame), 'verdict-miss']);
  if (pack.probability) lines.push(['Probability', chanceText(pack.probability[frame]), 'big']);
  if (pack.predicted) lines.push(['The model says', saysText(pack, frame), '']);
  if (pack.label) lines.push(['The label says', ...judgement(pack, frame)]);
  if (pack.part) lines.push(['Part', PART_NAMES[pack.part[frame]], '']);
  if (pack.score && !Number.isNaN(pack.score[frame]))
    lines.push(['Anomaly score', scoreText(pack, frame), '']);
  return lines;
}

function saysText({ predicted, event }, frame) {
  if (predicted[frame] < 0) return 'nothing';
  const own = event.get(frame);
  return predicted[frame] === 1 ? `storm${own ? ` (event ${own})` : ''}` : 'calm';
}

function judgement({ label, ignore, predicted }, frame) {
  if (label[frame] < 0) return ['nothing', ''];
  const word = label[frame] === 1 ? 'storm' : 'calm';
  if (ignore?.[frame]) return [`${word}, not judged`, ''];
  if (!predicted || predicted[frame] < 0) return [word, ''];
  if (predicted[frame] === label[frame]) return [`${word}: they agree`, 'verdict-hit'];
  return [`${word}: ${label[frame] === 1 ? 'missed' : 'false alarm'}`, 'verdict-miss'];
}

function scoreText({ score, p }, frame) {
  const chance = p && !Number.isNaN(p[frame]) ? `, p-value ${numberText(p[frame], 4)}` : '';
  return `${numberText(score[frame], 2)}${chance}`;
}

/** Fills a dl. */
export function showReadout(list, lines) {
  list.replaceChildren(
    ...lines.flatMap(([term, words, kind]) => {
      const [dt, dd] = [document.createElement('dt'), document.createElement('dd')];
      dt.textContent = term;
      dd.textContent = words;
      dd.className = kind;
      return [dt, dd];
    }),
  );
}
