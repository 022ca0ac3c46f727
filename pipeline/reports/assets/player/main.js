/** The player: what is chosen, the controls that choose it, and drawing it. */
import { decodePayload } from './decode.js';
import { fieldsOf, seriesOf } from './field.js';
import { framePainter } from './frame.js';
import { linkFigures, nearest, reachScrollers } from './links.js';
import { tileTime } from './tileTime.js';
import { flatView, worldView } from './views.js';
import { readoutOf, showReadout, tidyText, timeText } from './words.js';
import { frameAt } from './world.js';

const MS_A_STEP = 420;
export const $ = (id) => document.getElementById(id);

async function start() {
  const text = JSON.parse($('payload').textContent);
  reachScrollers();
  addEventListener('resize', reachScrollers);
  for (const details of document.querySelectorAll('details'))
    details.addEventListener('toggle', reachScrollers);
  if (!text?.fields || !$('player')) return;
  const pack = await decodePayload(text);
  const fields = fieldsOf(pack);
  const player = openPlayer(pack, fields);
  player.go(pack.opening);
  for (const canvas of document.querySelectorAll('[data-thumb]')) player.thumb(canvas);
  // After the first picture, which was asked for above.
  requestAnimationFrame(() => document.documentElement.classList.add('ready'));
}

function openPlayer(pack, fields) {
  const state = { series: 0, time: 0, band: 0, departure: false, overlay: Boolean($('overlay')?.checked) };
  const frames = framePainter(pack, fields);
  const stage = pack.rows ? worldView(pack, fields, frames) : flatView(pack, fields, frames);
  const figures = linkFigures(pack, go);
  const overTime = $('tile-time') && tileTime($('tile-time'), pack, go);
  let [steps, playing, waiting] = [[], 0, false];

  function go(frame) {
    state.series = seriesOf(pack, frame);
    stage.reveal?.(state.series);
    steps = stepsOf(pack, fields, state.series);
    moveTo(
      steps.reduce(
        (best, t) => (Math.abs(t - pack.time[frame]) < Math.abs(best - pack.time[frame]) ? t : best),
        steps[0],
      ),
    );
  }
  function moveTo(time) {
    state.time = time;
    soon();
  }
  const step = (by) => moveTo(steps[(steps.indexOf(state.time) + by + steps.length) % steps.length]);

  /** Draws once a picture, however much has changed. */
  function soon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      show();
    });
  }
  function show() {
    const frame = frameAt(pack, state.series, state.time);
    stage.draw(state, frame);
    if ($('detail')) frames.draw($('detail').getContext('2d'), frame, state);
    showCaption(pack, fields, state, frame);
    showReadout($('readout'), readoutOf(pack, frame));
    showScrub(pack, steps, state.time);
    if ($('series')) $('series').value = String(state.series);
    figures.mark(state.series, state.time);
    overTime?.(state.series, state.time);
  }

  function play(on) {
    clearInterval(playing);
    playing = on ? setInterval(() => step(1), MS_A_STEP) : 0;
    $('play').textContent = on ? 'Pause' : 'Play';
    $('play').setAttribute('aria-pressed', String(on));
    $('readout').setAttribute('aria-live', on ? 'off' : 'polite');
  }
  function event(by) {
    const frame = neighbour(pack, eventsOf(pack, fields), state, by);
    if (frame >= 0) go(frame);
  }
  const choose = (changes) => {
    Object.assign(state, changes);
    soon();
  };
  const actions = {
    go,
    moveTo: (i) => moveTo(steps[i]),
    step,
    event,
    choose,
    play: () => play(!playing),
    state,
  };
  bindControls(pack, actions);
  bindKeys(actions);
  stage.bind?.({ go: (series) => choosePlace(series), tell: figures.tell, state });
  function choosePlace(series) {
    const frame = frameAt(pack, series, state.time);
    go(frame < 0 ? pack.first[series] : frame);
  }
  const thumb = (canvas) =>
    frames.draw(canvas.getContext('2d'), Number(canvas.dataset.thumb), {
      band: 0,
      departure: false,
      overlay: true,
      small: true,
    });
  return { go, thumb };
}

/** Times to step through: all maps of tiles, else the frames of the series that are here or known to be bad. */
export function stepsOf(pack, fields, series) {
  if (fields.layout === 'mosaic') return fields.keys;
  const times = [];
  for (let f = pack.first[series]; f < pack.first[series + 1]; f++)
    if (fields.has(f) || pack.bad.has(f)) times.push(pack.time[f]);
  return times.length ? times : [pack.time[pack.first[series]]];
}

/** Surest frame of each event that has a map here, in order of time. */
function eventsOf(pack, fields) {
  const peaks = new Map();
  for (const [frame, event] of pack.event) {
    if (!fields.has(fields.layout === 'mosaic' ? pack.time[frame] : frame)) continue;
    const best = peaks.get(event);
    if (best === undefined || pack.probability[frame] > pack.probability[best]) peaks.set(event, frame);
  }
  return [...peaks.values()].sort((a, b) => pack.time[a] - pack.time[b] || a - b);
}

/** The event after (1) or before (-1) what is shown, going round; -1 without events. */
function neighbour(pack, events, { series, time }, by) {
  const after = (f) => pack.time[f] - time || seriesOf(pack, f) - series;
  const list = by > 0 ? events : events.toReversed();
  return list.find((f) => by * after(f) > 0) ?? list[0] ?? -1;
}

function showCaption(pack, fields, { band, departure, time }) {
  $('stage-time').textContent = timeText(pack, time);
  const { name, unit, low, high, colours } = fields.scale(band, departure);
  $('bar-name').textContent = name;
  $('bar-low').textContent = tidyText(low);
  $('bar-high').textContent = departure ? `+${tidyText(high)}` : tidyText(high);
  $('bar-unit').textContent = unit;
  const stops = Array.from(
    { length: 17 },
    (_, i) => `rgb(${colours.subarray(i * 48 - (i > 15 ? 3 : 0), i * 48 + 3)})`,
  );
  $('bar-ramp').style.background =
    `linear-gradient(90deg, ${stops.map((s) => s.replace(/,$/, '')).join(', ')})`;
}

function showScrub(pack, steps, time) {
  const scrub = $('scrub');
  scrub.max = String(steps.length - 1);
  scrub.value = String(steps.indexOf(time));
  scrub.setAttribute('aria-valuetext', timeText(pack, time));
}

function bindControls(pack, { go, moveTo, step, event, choose, play, state }) {
  const on = (id, kind, work) => $(id)?.addEventListener(kind, work);
  on('play', 'click', play);
  on('previous', 'click', () => step(-1));
  on('next', 'click', () => step(1));
  on('previous-event', 'click', () => event(-1));
  on('next-event', 'click', () => event(1));
  on('scrub', 'input', () => moveTo(Number($('scrub').value)));
  on('band', 'change', () => choose({ band: Number($('band').value) }));
  on('departure', 'change', () => choose({ departure: $('departure').checked }));
  on('overlay', 'change', () => choose({ overlay: $('overlay').checked }));
  const list = $('series');
  if (!list) return;
  list.append(...pack.series.map(({ label }, s) => new Option(label, String(s))));
  list.addEventListener('change', () => {
    const series = Number(list.value);
    go(nearest(pack, series, state.time));
  });
}

/** Keys work wherever nothing else wants them. */
function bindKeys({ step, event, play }) {
  const work = {
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    ' ': play,
    n: () => event(1),
    p: () => event(-1),
    a: () => $('overlay')?.click(),
    d: () => $('departure')?.click(),
  };
  document.addEventListener('keydown', (key) => {
    const { target } = key;
    if (key.ctrlKey || key.metaKey || key.altKey) return;
    if (target.closest?.('input, select, textarea, .table')) return;
    if (key.key === ' ' && target.closest?.('button, a, summary, [data-time-row], .stage-scroll')) return;
    const own = work[key.key] ?? work[key.key.toLowerCase()];
    if (!own) return;
    key.preventDefault();
    own();
  });
}

start();
