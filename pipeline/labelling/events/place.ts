/** From a cell of a frame to degrees; the inverse of `centreCells`. */
import type { DatasetDescription } from '../../../schemas/records/index.js';
import { isGeographic } from '../../labels/index.js';

/** Middle of cell (row, column), fractions allowed; null on maps without geographic coordinates. */
export function cellCentre(
  { grid, sourceGrid, series }: DatasetDescription,
  seriesName: string,
  row: number,
  column: number,
): { lat: number; lon: number } | null {
  const own = series.find(({ name }) => name === seriesName);
  const tile = own?.tile;
  const transform = tile ? sourceGrid.transform : (own?.transform ?? grid.transform);
  if (!transform || !isGeographic(sourceGrid.crs)) return null;
  const c = column + 0.5 + (tile?.column ?? 0);
  const r = (tile?.flip ? tile.height - 1 - row : row) + 0.5 + (tile?.row ?? 0);
  const [x0, a, b, y0, d, e] = transform;
  const lon = x0 + a * c + b * r;
  return { lat: y0 + d * c + e * r, lon: ((((lon + 180) % 360) + 360) % 360) - 180 };
}
