/** The cells of a frame in which its label was counted. */
import type { DatasetDescription } from '../../../schemas/records/index.js';
import { ConfigError } from '../../errors.js';

/** `[height * width]`, 1 inside `box` (CRS units) or, without one, inside the tile's margin. ConfigError: an empty box. */
export function labelCells(
  { grid, series }: DatasetDescription,
  box?: readonly [number, number, number, number],
): Uint8Array {
  const { width, height, transform } = grid;
  const cells = new Uint8Array(width * height);
  const margin = Math.min(...series.map(({ tile }) => tile?.margin ?? 0));
  if (!box || !transform) {
    for (let row = margin; row < height - margin; row++)
      cells.fill(1, row * width + margin, (row + 1) * width - margin);
    if (box) throw boxError(box, 'the frames have no fixed place');
    return cells;
  }
  const [x0, a, b, y0, d, e] = transform;
  const [west, south, east, north] = box;
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const [c, r] = [column + 0.5, row + 0.5];
      const [x, y] = [x0 + a * c + b * r, y0 + d * c + e * r];
      const inX = [0, 360, -360].some((turn) => x + turn >= west && x + turn <= east);
      if (inX && y >= south && y <= north) cells[row * width + column] = 1;
    }
  if (!cells.includes(1)) throw boxError(box, 'it holds no cell of the grid');
  return cells;
}

function boxError(box: readonly number[], found: string): ConfigError {
  return new ConfigError(`labelling.box [${box.join(', ')}] cannot be used: ${found}`, {
    hint: 'give west, south, east, north in degrees inside the maps, or leave labelling.box out',
    fields: { box },
  });
}
