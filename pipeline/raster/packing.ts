/** Scale and offset of a band: physical value = stored * scale + offset, which must stay a 32-bit float. */
import { BadRasterError } from '../errors.js';
import type { MapHeader } from './map.js';

/** A 32-bit whole number times this, and an offset this large, are within a 32-bit float (3.4e38). */
const MOST_SCALE = 1e28;
const MOST_OFFSET = 1e38;

/** BadRasterError: a scale of 0, or one or an offset that no values survive. */
export function checkPacking(path: string, header: MapHeader): MapHeader {
  for (const { scale, offset, selector } of header.bands) {
    const sound = scale !== 0 && Math.abs(scale) <= MOST_SCALE && Math.abs(offset) <= MOST_OFFSET;
    if (sound) continue;
    throw new BadRasterError(
      `cannot read ${path}: its band ${selector} has scale ${scale} and offset ${offset}`,
      {
        hint: 'correct them in the file (a finite scale other than 0), or leave it out with --on-bad-frame skip',
        fields: { path, band: selector, scale, offset },
      },
    );
  }
  return header;
}

/** Whether `stored * scale + offset` is a number that a 32-bit float can hold. */
export const isPhysical = (stored: number, scale: number, offset: number): boolean =>
  Number.isFinite(Math.fround(stored * scale + offset));
