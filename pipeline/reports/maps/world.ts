/** The world in the Equal Earth projection: its outline, graticule and coast, and where each picture row lies. */
import { type GeoPermissibleObjects, geoEqualEarth, geoGraticule10, geoPath } from 'd3-geo';
import { coast } from './coast.js';

export const WORLD_WIDTH = 1000;

export interface World {
  width: number;
  height: number;
  sphere: string;
  graticule: string;
  coast: string;
  project(lon: number, lat: number): [x: number, y: number];
  /** Of each picture row: latitude, and degrees of longitude a pixel; x = width / 2 is longitude 0. NaN off the globe. */
  rows: { lat: Float32Array; degrees: Float32Array };
  /** SVG path of a box in degrees, its edges bent as parallels and meridians are. */
  box(west: number, south: number, east: number, north: number): string;
}

/** Cut to the latitudes `south` to `north`. */
export function world({ south = -90, north = 90 } = {}): World {
  const projection = geoEqualEarth().fitWidth(WORLD_WIDTH, { type: 'Sphere' });
  const [cx] = projection.translate();
  const top = projection([0, north])![1];
  const height = Math.round(projection([0, south])![1] - top);
  const [tx, ty] = projection.translate();
  projection.translate([tx, ty - top]).clipExtent([
    [-1, -1],
    [WORLD_WIDTH + 1, height + 1],
  ]);
  projection.precision(0.3);
  const draw = geoPath(projection).digits(1);
  const path = (object: GeoPermissibleObjects) => draw(object) ?? '';
  const rows = { lat: new Float32Array(height), degrees: new Float32Array(height) };
  for (let y = 0; y < height; y++) {
    const at = projection.invert!([cx + 50, y + 0.5]);
    rows.lat[y] = at ? at[1] : Number.NaN;
    rows.degrees[y] = at ? at[0] / 50 : Number.NaN;
  }
  return {
    width: WORLD_WIDTH,
    height,
    sphere: path({ type: 'Sphere' }),
    graticule: path(geoGraticule10()),
    coast: path(coast().geometry),
    project: (lon, lat) => projection([lon, lat])!,
    rows,
    box: (west, south_, east, north_) =>
      path({ type: 'MultiLineString', coordinates: edges(west, south_, east, north_) }),
  };
}

/** The four sides as lines with a point every degree; never a polygon, whose inside is ambiguous on a sphere. */
function edges(west: number, south: number, east: number, north: number): [number, number][][] {
  const side = (from: number, to: number, at: (t: number) => [number, number]) =>
    Array.from(
      { length: Math.max(2, Math.ceil(Math.abs(to - from)) + 1) },
      (_, i, n = Math.max(1, Math.ceil(Math.abs(to - from)))) => at(from + ((to - from) * i) / n),
    );
  return [
    side(west, east, (lon) => [lon, north]),
    side(north, south, (lat) => [east, lat]),
    side(east, west, (lon) => [lon, south]),
    side(south, north, (lat) => [west, lat]),
  ];
}
