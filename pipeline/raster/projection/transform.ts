/** Points from one CRS to another. Places that one of them does not show come out as NaN. */
import proj4 from 'proj4';
import { definitionOf, isGeographicCrs } from './definition.js';

export type PointMove = (x: number, y: number, out: Float64Array) => void;

/** How far a point may be off after going there and back: in degrees, or metres of a projection. */
const RETURN = { degrees: 1e-4, metres: 10 };

/**
 * Writes x and y in `to` of a point of `from` into `out`, `[NaN, NaN]` where there is none. A point must come back from where
 * it went: behind the Earth or beyond the edge of a projection the formulas answer with some other place.
 */
export function pointMove(from: string, to: string): PointMove {
  const pair = proj4(definitionOf(from)!, definitionOf(to)!);
  const geographic = isGeographicCrs(from);
  return (x, y, out) => {
    out[0] = Number.NaN;
    out[1] = Number.NaN;
    try {
      const there = pair.forward([geographic ? turned(x) : x, y]);
      if (!Number.isFinite(there[0]) || !Number.isFinite(there[1])) return;
      const back = pair.inverse([there[0], there[1]]);
      if (!returns(x, y, back, geographic)) return;
      out[0] = there[0];
      out[1] = there[1];
    } catch {
      // proj4 throws for places outside some projections.
    }
  };
}

/** Longitude in -180 .. 180. */
const turned = (lon: number): number =>
  lon >= -180 && lon <= 180 ? lon : ((((lon + 180) % 360) + 360) % 360) - 180;

function returns(x: number, y: number, [bx, by]: number[], geographic: boolean): boolean {
  if (!geographic) return Math.abs(bx - x) < RETURN.metres && Math.abs(by - y) < RETURN.metres;
  // Near a pole longitudes are close together.
  const dx = Math.abs(turned(bx - x)) * Math.cos((y * Math.PI) / 180);
  return Math.abs(by - y) < RETURN.degrees && dx < RETURN.degrees;
}

const EDGE_STEPS = 64;

/** The box in `to` around a box [west, south, east, north] of `from`; null where nothing of it is shown there. */
export function boundsIn(
  [west, south, east, north]: readonly [number, number, number, number],
  from: string,
  to: string,
): [number, number, number, number] | null {
  const move = pointMove(from, to);
  const out = new Float64Array(2);
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  // Not the edge alone: of a satellite's disc the corners of the picture are space.
  for (let i = 0; i <= EDGE_STEPS; i++)
    for (let j = 0; j <= EDGE_STEPS; j++) {
      move(west + ((east - west) * j) / EDGE_STEPS, south + ((north - south) * i) / EDGE_STEPS, out);
      if (Number.isNaN(out[0])) continue;
      box[0] = Math.min(box[0], out[0]);
      box[1] = Math.min(box[1], out[1]);
      box[2] = Math.max(box[2], out[0]);
      box[3] = Math.max(box[3], out[1]);
    }
  return box[0] < box[2] && box[1] < box[3] ? box : null;
}
