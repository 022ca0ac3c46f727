/** Where on a frame the labelled storm centre lies. */
import type { DatasetDescription, Series, Transform } from '../../schemas/records/index.js';
import { isGeographicCrs } from '../raster/index.js';
import type { Frames } from './join.js';
import type { LabelTable } from './table.js';

/**
 * Cell `row * width + column` of the labelled centre of each storm frame; -1 where there is none, where it lies
 * outside the frame, and on maps without geographic coordinates.
 */
export function centreCells({ description, index }: Frames, labels: LabelTable): Int32Array {
  const cells = new Int32Array(index.length).fill(-1);
  if (!isGeographic(description.grid.crs)) return cells;
  const byName = new Map(description.series.map((series) => [series.name, locator(series, description)]));
  const locators = index.seriesNames.map((name) => byName.get(name));
  for (let frame = 0; frame < index.length; frame++) {
    if (labels.label[frame] !== 1 || Number.isNaN(labels.lat[frame]) || Number.isNaN(labels.lon[frame]))
      continue;
    cells[frame] = locators[index.series[frame]]?.(labels.lat[frame], labels.lon[frame]) ?? -1;
  }
  return cells;
}

/** True where x and y of the grid are degrees of longitude and latitude. */
export const isGeographic = isGeographicCrs;

type Locator = (lat: number, lon: number) => number;

/** Tiles are found on the source grid, then cut and flipped as decoding does, so a flip is counted once. */
function locator(series: Series, { grid, sourceGrid }: DatasetDescription): Locator | undefined {
  const tile = series.tile;
  const transform = tile ? sourceGrid.transform : (series.transform ?? grid.transform);
  if (!transform) return undefined;
  const place = tile ?? { row: 0, column: 0, height: grid.height, width: grid.width, flip: false };
  const inverse = invert(transform);
  return (lat, lon) => {
    for (const turn of [0, 360, -360, 720]) {
      const [column, row] = inverse(lon + turn, lat);
      const c = cellOf(column - place.column, place.width);
      const r = cellOf(row - place.row, place.height);
      if (c < 0 || r < 0) continue;
      return (place.flip ? place.height - 1 - r : r) * place.width + c;
    }
    return -1;
  };
}

/** The cell that holds a position counted in cells; the far edge belongs to the last cell; -1 outside. */
function cellOf(position: number, count: number): number {
  if (!(position >= 0 && position <= count)) return -1;
  return Math.min(Math.floor(position), count - 1);
}

/** From (x, y) to (column, row), the inverse of a GDAL transform. */
function invert([x0, a, b, y0, c, d]: Transform): (x: number, y: number) => [number, number] {
  const determinant = a * d - b * c;
  return (x, y) => [(d * (x - x0) - b * (y - y0)) / determinant, (a * (y - y0) - c * (x - x0)) / determinant];
}
