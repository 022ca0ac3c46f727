/** Which series show the same place. */
import type { DatasetDescription, Footprint } from '../../schemas/records/index.js';
import { isGeographic } from '../labels/index.js';

/** `same` also where footprints only touch; `unknown` where one of two series has no footprint. */
export type Place = 'same' | 'other' | 'unknown';

/** Compares the places of two series by name; longitudes count modulo 360 degrees on geographic grids. */
export function placesOf({ series, sourceGrid }: DatasetDescription): (a: string, b: string) => Place {
  const footprints = new Map(series.map(({ name, footprint }) => [name, footprint]));
  const turn = isGeographic(sourceGrid.crs) ? 360 : null;
  return (a, b) => {
    if (a === b) return 'same';
    const [first, second] = [footprints.get(a), footprints.get(b)];
    if (!first || !second) return 'unknown';
    return footprintsMeet(first, second, turn) ? 'same' : 'other';
  };
}

/** True when two closed boxes share a point; `turn` is the length of a full circle of longitude, or null. */
export function footprintsMeet(a: Footprint, b: Footprint, turn: number | null): boolean {
  if (a[1] > b[3] || b[1] > a[3]) return false;
  const shifts = turn === null ? [0] : [-2 * turn, -turn, 0, turn, 2 * turn];
  return shifts.some((shift) => a[0] <= b[2] + shift && b[0] + shift <= a[2]);
}
