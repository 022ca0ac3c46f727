/** One frame: a map of its own, or the tile cut out of the mosaic, always with north up. */

import { drawCoast, drawCross, isolines, lookedLines, paint, say } from './draw.js';
import { seriesOf } from './field.js';
import { onMosaic } from './world.js';

/** `draw(context, frame, look)`; look: `{ band, departure, overlay, small }`. */
export function framePainter(pack, fields) {
  const looked = lookedOf(pack);

  function pictureOf(frame, { band, departure }) {
    const { tile } = pack.series[seriesOf(pack, frame)];
    if (fields.layout === 'frames') return fields.picture(frame, band, departure);
    const whole = fields.picture(pack.time[frame], band, departure);
    return whole && tile ? cut(whole, pack.mosaic, tile) : null;
  }

  function draw(context, frame, look) {
    const { width, height } = context.canvas;
    context.clearRect(0, 0, width, height);
    const picture = frame < 0 ? null : pictureOf(frame, look);
    if (!picture) return say(context, whyNone(pack, frame));
    const own = pack.series[seriesOf(pack, frame)];
    const flip = fields.layout === 'frames' ? own.up === 1 : pack.mosaic.dy > 0;
    const scale = fields.scale(look.band, look.departure);
    paint(context, picture, scale.colours, flip);
    if (!look.small) isolines(context, picture, scale, onCanvas(context, picture, flip));
    if (own.box) drawCoast(context, pack.coast, own.box);
    const map = look.overlay ? looked(frame) : null;
    if (map) lookedLines(context, map, look.small ? [0.5] : [0.3, 0.6, 0.85], onCanvas(context, map, flip));
    const centre = pack.centre.get(frame);
    if (centre && own.box) drawCross(context, ...inBox(context, own.box, centre));
  }
  return { draw, looked };
}

function whyNone(pack, frame) {
  if (frame < 0) return 'No frame at this time';
  return pack.bad.has(frame) ? `No map: ${pack.bad.get(frame)}` : 'The map of this frame is not in this file';
}

/** From cells to pixels of a canvas that the picture fills. */
const onCanvas =
  ({ canvas }, { width, height }, flip) =>
  (c, r) => [
    ((c + 0.5) / width) * canvas.width,
    (((flip ? height - 1 - r : r) + 0.5) / height) * canvas.height,
  ];

function inBox({ canvas }, [west, south, east, north], [lat, lon]) {
  const turned = (((lon - west) % 360) + 360) % 360;
  return [(turned / (east - west)) * canvas.width, ((north - lat) / (north - south)) * canvas.height];
}

/** A tile's cells, rows in the mosaic's order whatever the model was shown. */
export function cut({ bytes }, mosaic, [row, column, height, width]) {
  const own = new Uint8Array(width * height).fill(255);
  for (let r = 0; r < height; r++)
    for (let c = 0; c < width; c++) {
      const at = onMosaic(mosaic, row + r, column + c);
      if (at >= 0) own[r * width + c] = bytes[at];
    }
  return { bytes: own, width, height };
}

/** Attention of a frame with rows in the mosaic's (else the frame's own) order; null where there is none. */
function lookedOf({ attention, series, ...pack }) {
  const place = new Map(attention?.keys.map((frame, i) => [frame, i]));
  return (frame) => {
    const i = place.get(frame);
    if (i === undefined) return null;
    const { width, height } = attention;
    const bytes = attention.bytes.subarray(i * width * height, (i + 1) * width * height);
    const { tile } = series[seriesOf(pack, frame)];
    return { bytes: tile?.[4] ? upsideDown(bytes, width, height) : bytes, width, height };
  };
}

export function upsideDown(bytes, width, height) {
  const turned = new Uint8Array(bytes.length);
  for (let r = 0; r < height; r++)
    turned.set(bytes.subarray(r * width, (r + 1) * width), (height - 1 - r) * width);
  return turned;
}
