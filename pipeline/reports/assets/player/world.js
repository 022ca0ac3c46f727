/** The mosaic of all tiles of one time on the world. */
import { putColour } from './draw.js';

/** Draws on the world's canvas; `rows` says where each picture row lies, x = half the width is longitude 0. */
export function worldStage(canvas, { mosaic, rows }) {
  const context = canvas.getContext('2d');
  const scale = canvas.height / rows.height;
  const half = canvas.width / scale / 2;
  const image = context.createImageData(canvas.width, canvas.height);

  function paintWorld({ bytes }, colours) {
    image.data.fill(0);
    for (let y = 0; y < canvas.height; y++) {
      const source = Math.min(rows.height - 1, Math.floor(y / scale));
      const row = (rows.lat[source] - mosaic.north) / mosaic.dy - 0.5;
      if (!(row >= -0.5 && row <= mosaic.height - 0.5)) continue;
      for (let x = 0; x < canvas.width; x++) {
        const lon = ((x + 0.5) / scale - half) * rows.degrees[source];
        if (lon < -180 || lon > 180) continue;
        const turned = (((lon - mosaic.west) % 360) + 360) % 360;
        const value = between(bytes, mosaic, row, turned / mosaic.dx - 0.5);
        if (value !== 255) putColour(image.data, (y * canvas.width + x) * 4, colours, value);
      }
    }
    context.putImageData(image, 0, 0);
  }

  /** Canvas place of a place in degrees. */
  function degrees(lon, lat) {
    const y = rowOf(rows.lat, lat);
    const wide = rows.degrees[Math.min(rows.height - 1, Math.max(0, Math.round(y - 0.5)))];
    return [(half + lon / wide) * scale, y * scale];
  }
  /** Canvas place of a cell's centre. */
  const project = (column, row) =>
    degrees(around(mosaic.west + (column + 0.5) * mosaic.dx), mosaic.north + (row + 0.5) * mosaic.dy);
  return { context, paintWorld, project, degrees, scale };
}

/** Longitude in [-180, 180). */
export const around = (lon) => ((((lon + 180) % 360) + 360) % 360) - 180;

/** Bilinear; where one of four neighbours is missing, the nearest one. */
function between(bytes, { width, height, wraps }, row, column) {
  const [r, c] = [Math.floor(row), Math.floor(column)];
  const line = (i) => Math.min(Math.max(i, 0), height - 1) * width;
  const place = (j) => (wraps ? (j + width) % width : Math.min(Math.max(j, 0), width - 1));
  const [above, below, left, right] = [line(r), line(r + 1), place(c), place(c + 1)];
  const four = [bytes[above + left], bytes[above + right], bytes[below + left], bytes[below + right]];
  if (four[0] === 255 || four[1] === 255 || four[2] === 255 || four[3] === 255)
    return bytes[line(Math.round(row)) + place(Math.round(column))];
  const share = column - c;
  const upper = four[0] + share * (four[1] - four[0]);
  return upper + (row - r) * (four[2] + share * (four[3] - four[2]) - upper);
}

/** Height in the picture of a latitude; latitudes fall from row to row. */
function rowOf(lat, wanted) {
  let [low, high] = [0, lat.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (lat[middle] >= wanted) low = middle;
    else high = middle;
  }
  return low + 0.5 + (lat[low] - wanted) / (lat[low] - lat[high]);
}

/** Where the model looked at one time: on each cell the largest of its tiles, weighed by their probabilities. */
export function lookedMosaic(pack, looked, time) {
  const { mosaic, series, probability } = pack;
  const bytes = new Uint8Array(mosaic.width * mosaic.height);
  series.forEach(({ tile }, s) => {
    const frame = frameAt(pack, s, time);
    const own = frame < 0 || !tile ? null : looked(frame);
    if (!own) return;
    const weight = probability ? probability[frame] : 1;
    for (let r = 0; r < own.height; r++)
      for (let c = 0; c < own.width; c++) {
        const at = onMosaic(mosaic, tile[0] + r, tile[1] + c);
        if (at >= 0) bytes[at] = Math.max(bytes[at], weight * own.bytes[r * own.width + c]);
      }
  });
  return { bytes, width: mosaic.width, height: mosaic.height };
}

/** Cell of the mosaic, -1 beside it; columns of the source grid may run past its width. */
export function onMosaic(mosaic, row, column) {
  const r = row - mosaic.row;
  const c = mosaic.wraps ? column % mosaic.width : column - mosaic.column;
  return r < 0 || r >= mosaic.height || c < 0 || c >= mosaic.width ? -1 : r * mosaic.width + c;
}

/** Frame of a series at a time; -1 where it has none. */
export function frameAt({ first, time }, series, wanted) {
  let [low, high] = [first[series], first[series + 1] - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (time[middle] === wanted) return middle;
    if (time[middle] < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
