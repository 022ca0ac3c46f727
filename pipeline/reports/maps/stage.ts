/**
 * What kind of picture a dataset gives: tiles of the whole world, one map in degrees, or a picture without a place;
 * and where a tile lies on the mosaic that all tiles of one time make.
 */
import type { DatasetDescription, Footprint, Series } from '../../../schemas/records/index.js';
import { isGeographic } from '../../labels/index.js';

export interface Mosaic {
  /** Top row and left column on the source grid, and the size in cells. */
  row: number;
  column: number;
  width: number;
  height: number;
  /** Degrees of the left edge, the top edge and one cell (the second is negative where north is up); null without a place. */
  west: number | null;
  north: number | null;
  dx: number;
  dy: number;
  /** The mosaic runs once round the world. */
  wraps: boolean;
}

export interface Stage {
  kind: 'world' | 'map' | 'plain';
  /** Null where every series is a map of its own. */
  mosaic: Mosaic | null;
}

const WORLD_DEGREES = 350;

export function stageOf(description: DatasetDescription): Stage {
  const geographic = isGeographic(description.sourceGrid.crs);
  const tiles = description.series.map((s) => s.tile).filter((t) => t !== null);
  const { width, height, transform } = description.sourceGrid;
  const place = geographic && transform ? transform : null;
  const wraps = place !== null && Math.abs(width * place[1]) >= WORLD_DEGREES;
  if (tiles.length === 0) {
    const placed = geographic && description.series.some((s) => boxOf(s, description) !== null);
    return { kind: placed ? 'map' : 'plain', mosaic: null };
  }
  const row = Math.min(...tiles.map((t) => t.row));
  const bottom = Math.min(Math.max(...tiles.map((t) => t.row + t.height)), height);
  const column = wraps ? 0 : Math.min(...tiles.map((t) => t.column));
  const right = wraps ? width : Math.min(Math.max(...tiles.map((t) => t.column + t.width)), width);
  const mosaic = {
    row,
    column,
    width: right - column,
    height: bottom - row,
    west: place ? place[0] + column * place[1] : null,
    north: place ? place[3] + row * place[5] : null,
    dx: place ? place[1] : 1,
    dy: place ? place[5] : -1,
    wraps,
  };
  return { kind: wraps ? 'world' : place ? 'map' : 'plain', mosaic };
}

/** Degrees that a placed mosaic covers. */
export function mosaicBox({ west, north, dx, dy, width, height }: Mosaic): Footprint {
  const [a, b] = [north!, north! + dy * height];
  return [west!, Math.min(a, b), west! + dx * width, Math.max(a, b)];
}

/** Footprint in degrees: the stored one, or that of the transform. */
export function boxOf(series: Series, { grid, sourceGrid }: DatasetDescription): Footprint | null {
  if (series.footprint) return series.footprint;
  const transform = series.transform ?? grid.transform;
  if (!transform || !isGeographic(sourceGrid.crs)) return null;
  const [x0, dx, , y0, , dy] = transform;
  const [x1, y1] = [x0 + dx * grid.width, y0 + dy * grid.height];
  return [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)];
}

/** True where the first stored row is the southernmost. */
export function southUp(series: Series, { grid }: DatasetDescription): boolean {
  if (series.tile) return series.tile.flip;
  const transform = series.transform ?? grid.transform;
  return transform !== null && transform[5] > 0;
}
