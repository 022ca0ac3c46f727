/** Big maps cut into series, one a tile, each with its place on Earth. */
import type { Tiles } from '../../schemas/config/index.js';
import type { Footprint, Grid, Series, Transform } from '../../schemas/records/index.js';
import { ConfigError } from '../errors.js';
import { isGeographicCrs } from './projection/index.js';
import { isFullCircle } from './resample.js';

/** Series of one source series `name`; `alone` when it is the only one, so that names stay short. */
export function tileSeries(grid: Grid, tiles: Tiles, name: string, alone: boolean): Series[] {
  const { size, stride, margin, wrap, flipSouth } = tiles;
  const fits = size <= grid.height && size <= grid.width && 2 * margin < size;
  const rows = tiles.rows ?? steps(grid.height - size, stride);
  if (!fits || rows.some((row) => row + size > grid.height))
    throw new ConfigError(
      `tiles of ${size} cells at rows ${rows.join(', ')} do not fit a map of ${grid.height} x ${grid.width}`,
      {
        hint: 'choose a smaller size, other rows or a smaller margin under ingest: tiles:',
      },
    );
  if (wrap && !isFullCircle(grid))
    throw new ConfigError('tiles cannot wrap: the map does not go once around the Earth', {
      hint: 'set wrap: false',
    });
  const columns = wrap ? steps(grid.width - 1, stride) : steps(grid.width - size, stride);
  return rows.flatMap((row) =>
    columns.map((column): Series => {
      const south = grid.transform !== null && centreY(grid.transform, row + size / 2) < 0;
      const flip = flipSouth && isGeographicCrs(grid.crs) && south;
      const place = tilePlace(grid, { row, column, width: size, height: size });
      const tile = { row, column, height: size, width: size, margin, flip };
      const own = tileName(grid, row, column);
      return {
        name: alone ? own : `${name}.${own}`,
        ...place,
        transform: place.transform && turned(place.transform, size, flip),
        tile,
      };
    }),
  );
}

/** Corner of the map as west, south, east, north. */
export function footprint({ width, height, transform }: Grid): Footprint | null {
  if (!transform) return null;
  const [x, dx, , y, , dy] = transform;
  const [x1, y1] = [x + width * dx, y + height * dy];
  return [Math.min(x, x1), Math.min(y, y1), Math.max(x, x1), Math.max(y, y1)];
}

const steps = (last: number, stride: number): number[] =>
  Array.from({ length: Math.floor(last / stride) + 1 }, (_, i) => i * stride);

const centreY = ([, , , y, , dy]: Transform, row: number): number => y + row * dy;

function tilePlace(
  grid: Grid,
  { row, column, width, height }: { row: number; column: number; width: number; height: number },
) {
  if (!grid.transform) return { transform: null, footprint: null };
  const [x, dx, rx, y, ry, dy] = grid.transform;
  const transform: Transform = [x + column * dx, dx, rx, y + row * dy, ry, dy];
  return { transform, footprint: footprint({ width, height, transform, crs: grid.crs }) };
}

/** The transform of a tile whose rows are upside down. */
function turned([x, dx, rx, y, ry, dy]: Transform, height: number, flip: boolean): Transform {
  return flip ? [x, dx, rx, y + height * dy, ry, -dy] : [x, dx, rx, y, ry, dy];
}

/** By the centre of the first cell, `n68_e024`, where that is in whole degrees; by row and column elsewhere. */
function tileName({ transform, crs }: Grid, row: number, column: number): string {
  if (transform && isGeographicCrs(crs)) {
    const lon = transform[0] + (column + 0.5) * transform[1];
    const lat = transform[3] + (row + 0.5) * transform[5];
    if (isWhole(lon) && isWhole(lat)) return `${half(lat, 'n', 's', 2)}_${half(lon, 'e', 'w', 3)}`;
  }
  return `r${String(row).padStart(3, '0')}_c${String(column).padStart(3, '0')}`;
}

const isWhole = (value: number): boolean => Math.abs(value - Math.round(value)) < 1e-6;

const half = (value: number, positive: string, negative: string, digits: number): string =>
  `${value < 0 ? negative : positive}${String(Math.abs(Math.round(value))).padStart(digits, '0')}`;
