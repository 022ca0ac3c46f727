/** Coast lines of Natural Earth 1:50m (world-atlas): as GeoJSON for projections, as packed points for the page. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { deflateSync } from 'node:zlib';
import type { MultiLineString, Position } from 'geojson';
import { mesh } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';

export interface Coast {
  /** Degrees. */
  lines: Position[][];
  geometry: MultiLineString;
}

let cached: Coast | null = null;

/** All coast lines, cut at 180 degrees, but the map's own edges there and at the south pole. */
export function coast(): Coast {
  if (cached) return cached;
  const path = createRequire(import.meta.url).resolve('world-atlas/land-50m.json');
  const topology = JSON.parse(readFileSync(path, 'utf8')) as Topology<{ land: GeometryCollection }>;
  const lines = mesh(topology, topology.objects.land).coordinates.flatMap(withoutEdges);
  cached = { lines, geometry: { type: 'MultiLineString', coordinates: lines } };
  return cached;
}

const onEdge = ([lon, lat]: Position) => Math.abs(lon) > 179.95 || lat < -89;

function withoutEdges(line: Position[]): Position[][] {
  const parts: Position[][] = [];
  let part: Position[] = [];
  for (let i = 0; i < line.length; i++) {
    const turned = i > 0 && Math.abs(line[i][0] - line[i - 1][0]) > 180;
    if (turned || (i > 0 && onEdge(line[i]) && onEdge(line[i - 1]))) {
      if (part.length > 1) parts.push(part);
      part = [];
    }
    part.push(line[i]);
  }
  if (part.length > 1) parts.push(part);
  return parts;
}

/** Box in degrees. */
export type Box = readonly [west: number, south: number, east: number, north: number];

/**
 * The lines that touch one of the boxes, thinned to `tolerance` degrees: int16 hundredths of a degree, lines apart
 * by 32767, deflated, base64.
 */
export function packCoast(boxes: readonly Box[], tolerance: number): string {
  const numbers: number[] = [];
  for (const line of coast().lines) {
    if (!boxes.some((box) => touches(line, box))) continue;
    for (const [lon, lat] of thin(line, tolerance))
      numbers.push(Math.round(lon * 100), Math.round(lat * 100));
    numbers.push(32767, 32767);
  }
  return deflateSync(Buffer.from(Int16Array.from(numbers).buffer), { level: 9 }).toString('base64');
}

function touches(line: readonly Position[], [west, south, east, north]: Box): boolean {
  let [w, s, e, n] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [lon, lat] of line) {
    [w, e] = [Math.min(w, lon), Math.max(e, lon)];
    [s, n] = [Math.min(s, lat), Math.max(n, lat)];
  }
  return n >= south && s <= north && [-360, 0, 360].some((turn) => e + turn >= west && w + turn <= east);
}

/** Leaves out points nearer than the tolerance to the last one kept. */
function thin(line: readonly Position[], tolerance: number): Position[] {
  const kept = [line[0]];
  for (const point of line.slice(1, -1)) {
    const [lon, lat] = kept[kept.length - 1];
    if (Math.hypot(point[0] - lon, point[1] - lat) >= tolerance) kept.push(point);
  }
  return [...kept, line[line.length - 1]];
}
