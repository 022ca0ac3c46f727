/** Land and sea from Natural Earth coast lines (1:50 million, world-atlas), cut row by row with the even-odd rule. */
import { createRequire } from 'node:module';
import { feature } from 'topojson-client';
import { BOX, type SimulatedGrid } from './box.js';

type Ring = [number, number][];
/** Ends of a piece of coast: x0, y0, x1, y1 in degrees. */
type Edge = [number, number, number, number];

/** `[height * width]`, 1 where the cell's centre is land. Cells must lie in the simulated box. */
export function landMask({
  width,
  height,
  lat,
  lon,
}: Pick<SimulatedGrid, 'width' | 'height' | 'lat' | 'lon'>): Uint8Array {
  const mask = new Uint8Array(width * height);
  const edges = coast();
  for (let row = 0; row < height; row++) {
    const crossings = crossingsAt(edges, lat[row]);
    for (let column = 0, passed = 0; column < width; column++) {
      while (passed < crossings.length && crossings[passed] <= lon[column]) passed++;
      mask[row * width + column] = passed & 1;
    }
  }
  return mask;
}

/** Longitudes at which a parallel enters or leaves land, ascending. */
function crossingsAt(edges: readonly Edge[], lat: number): number[] {
  const found: number[] = [];
  for (const [x0, y0, x1, y1] of edges)
    if (y0 > lat !== y1 > lat) found.push(x0 + ((lat - y0) / (y1 - y0)) * (x1 - x0));
  return found.sort((a, b) => a - b);
}

let cached: Edge[] | null = null;

/** Coast at the box's latitudes of all land that reaches into it; pole and date line are far, so the plane will do. */
function coast(): Edge[] {
  cached ??= rings()
    .filter((ring) => ring.some(([x]) => x > BOX.west) && ring.some(([x]) => x < BOX.east))
    .flatMap((ring) => ring.slice(1).map(([x, y], i): Edge => [...ring[i], x, y]))
    .filter(([, y0, , y1]) => Math.max(y0, y1) > BOX.south && Math.min(y0, y1) < BOX.north);
  return cached;
}

function rings(): Ring[] {
  const topology = createRequire(import.meta.url)('world-atlas/land-50m.json');
  const land = feature(topology, topology.objects.land) as unknown as {
    features: { geometry: { type: string; coordinates: Ring[] | Ring[][] } }[];
  };
  return land.features.flatMap(({ geometry }) =>
    geometry.type === 'Polygon'
      ? (geometry.coordinates as Ring[])
      : (geometry.coordinates as Ring[][]).flat(),
  );
}
