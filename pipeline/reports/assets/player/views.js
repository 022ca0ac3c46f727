/** The large picture: the world with a mark for every tile, or one map. */
import { drawCoast, isolines, lookedLines, paint } from './draw.js';
import { tipText } from './links.js';
import { $ } from './main.js';
import { around, frameAt, lookedMosaic, worldStage } from './world.js';

const LOOK_SHARES = [0.3, 0.6];

export function worldView(pack, fields, { looked }) {
  const world = worldStage($('stage'), pack);
  const marks = new Map(
    [...document.querySelectorAll('#marks .tile')].map((g) => [Number(g.dataset.series), g]),
  );
  const box = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  box.setAttribute('class', 'chosen-box');
  $('marks').before(box);

  function draw(state) {
    const picture = fields.picture(state.time, state.band, state.departure);
    const scale = fields.scale(state.band, state.departure);
    world.paintWorld(picture, scale.colours);
    isolines(world.context, picture, scale, world.project, pack.mosaic.wraps);
    if (state.overlay)
      lookedLines(
        world.context,
        lookedMosaic(pack, looked, state.time),
        LOOK_SHARES,
        world.project,
        pack.mosaic.wraps,
      );
    $('stage-static').style.display = 'none';
    for (const [series, mark] of marks)
      showMark(pack, mark, frameAt(pack, series, state.time), series === state.series);
    box.setAttribute('d', outline(pack.series[state.series].box, world));
  }
  function bind({ go, tell, state }) {
    const seriesUnder = (event) => event.target.closest?.('.tile')?.dataset.series;
    $('marks').addEventListener('click', (event) => seriesUnder(event) && go(Number(seriesUnder(event))));
    $('marks').addEventListener('pointermove', (event) => {
      const own = seriesUnder(event);
      tell(event, own ? tipText(pack, frameAt(pack, Number(own), state.time)) : '');
    });
    $('marks').addEventListener('pointerleave', (event) => tell(event, ''));
  }
  /** Brings a tile into view where the map is wider than the screen. */
  function reveal(series) {
    const frame = $('stage').closest('.stage-scroll');
    const { box } = pack.series[series];
    if (!box || frame.scrollWidth <= frame.clientWidth) return;
    const [x] = world.degrees(around((box[0] + box[2]) / 2), (box[1] + box[3]) / 2);
    frame.scrollLeft = (x / $('stage').width) * frame.scrollWidth - frame.clientWidth / 2;
  }
  return { draw, bind, reveal };
}

function showMark(pack, mark, frame, chosen) {
  const p = frame < 0 || !pack.probability ? Number.NaN : pack.probability[frame];
  mark.classList.toggle('on', frame >= 0 && pack.predicted?.[frame] === 1);
  mark.classList.toggle('storm', frame >= 0 && pack.label?.[frame] === 1);
  mark.classList.toggle('chosen', chosen);
  mark.querySelector('.p').setAttribute('r', markRadius(p).toFixed(2));
}

/** Area grows with probability; as sections/player.ts draws it. */
export const markRadius = (p) => (Number.isNaN(p) ? 0 : Math.max(0.7, 4.6 * Math.sqrt(p)));

/** A box of degrees on the world as lines, cut where it crosses 180 degrees. */
function outline(box, { degrees, scale }) {
  if (!box) return '';
  const [west, south, east, north] = box;
  const corners = [
    [west, north],
    [east, north],
    [east, south],
    [west, south],
    [west, north],
  ];
  let [path, before] = ['', null];
  for (let i = 0; i < 4; i++)
    for (let k = 0; k <= 24; k++) {
      const [lon, lat] = [0, 1].map(
        (axis) => corners[i][axis] + ((corners[i + 1][axis] - corners[i][axis]) * k) / 24,
      );
      const [x, y] = degrees(around(lon), lat).map((v) => v / scale);
      path += `${before !== null && Math.abs(x - before) < 200 ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
      before = x;
    }
  return path;
}

/** One map; for tiles of a small place their mosaic, with a circle for each tile. */
export function flatView(pack, fields, frames) {
  const context = $('stage').getContext('2d');
  const { mosaic } = pack;
  const place = (series) => {
    const { tile } = pack.series[series];
    return [
      ((tile[1] - mosaic.column + tile[3] / 2) / mosaic.width) * context.canvas.width,
      ((tile[0] - mosaic.row + tile[2] / 2) / mosaic.height) * context.canvas.height,
    ];
  };
  function draw(state, frame) {
    $('stage-static').style.display = 'none';
    if (!mosaic) return frames.draw(context, frame, state);
    drawMosaic(context, { pack, fields, frames }, state);
    pack.series.forEach((_, s) => {
      drawMark(context, place(s), pack, frameAt(pack, s, state.time), s === state.series);
    });
  }
  function bind({ go }) {
    if (!mosaic) return;
    $('stage').addEventListener('click', (event) => {
      const bounds = $('stage').getBoundingClientRect();
      const x = ((event.clientX - bounds.left) / bounds.width) * context.canvas.width;
      const y = ((event.clientY - bounds.top) / bounds.height) * context.canvas.height;
      const far = (s) => Math.hypot(place(s)[0] - x, place(s)[1] - y);
      go(pack.series.reduce((best, _, s) => (far(s) < far(best) ? s : best), 0));
    });
  }
  return { draw, bind };
}

function drawMosaic(context, { pack, fields, frames }, state) {
  const { mosaic } = pack;
  const { width, height } = context.canvas;
  context.clearRect(0, 0, width, height);
  const picture = fields.picture(state.time, state.band, state.departure);
  const scale = fields.scale(state.band, state.departure);
  paint(context, picture, scale.colours, false);
  const project = (c, r) => [((c + 0.5) / mosaic.width) * width, ((r + 0.5) / mosaic.height) * height];
  isolines(context, picture, scale, project);
  if (mosaic.west !== null)
    drawCoast(context, pack.coast, [
      mosaic.west,
      mosaic.north + mosaic.dy * mosaic.height,
      mosaic.west + mosaic.dx * mosaic.width,
      mosaic.north,
    ]);
  if (state.overlay)
    lookedLines(context, lookedMosaic(pack, frames.looked, state.time), LOOK_SHARES, project);
}

function drawMark(context, [x, y], pack, frame, chosen) {
  const p = frame < 0 || !pack.probability ? 0 : pack.probability[frame];
  const unit = context.canvas.width / 90;
  const ring = (radius, colour, thick) => {
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.strokeStyle = colour;
    context.lineWidth = thick;
    context.stroke();
  };
  context.beginPath();
  context.arc(x, y, unit * Math.max(0.2, Math.sqrt(p || 0)), 0, 7);
  context.fillStyle = frame >= 0 && pack.predicted?.[frame] === 1 ? '#ff7f2a' : 'rgba(255,255,255,0.85)';
  context.fill();
  ring(unit * Math.max(0.2, Math.sqrt(p || 0)), 'rgba(17,24,31,0.7)', 1);
  const white = (radius, thick) => {
    ring(radius, 'rgba(17,24,31,0.8)', thick + 2.5);
    ring(radius, '#fff', thick);
  };
  if (frame >= 0 && pack.label?.[frame] === 1) white(unit * 1.35, 2.5);
  if (chosen) white(unit * 1.8, 4);
}
