/** The simulated place: a box over the central and eastern Mediterranean, flat, with the scale of its middle latitude. */
import type { Grid } from '../../schemas/records/index.js';

/** Degrees. About 2,280 by 1,780 km. */
export const BOX = { west: 2, east: 28, south: 30, north: 46 } as const;
const MIDDLE = (BOX.south + BOX.north) / 2;
export const KM_PER_LAT = 111.2;
export const KM_PER_LON = KM_PER_LAT * Math.cos((MIDDLE * Math.PI) / 180);

export interface SimulatedGrid extends Grid {
  transform: [number, number, number, number, number, number];
  /** Cell centres: kilometres east of the western edge by column, north of the southern edge by row. */
  x: Float64Array;
  y: Float64Array;
  lat: Float64Array;
  lon: Float64Array;
}

export function simulatedGrid(size: number): SimulatedGrid {
  const dx = (BOX.east - BOX.west) / size;
  const dy = (BOX.north - BOX.south) / size;
  const lon = Float64Array.from({ length: size }, (_, c) => BOX.west + (c + 0.5) * dx);
  const lat = Float64Array.from({ length: size }, (_, r) => BOX.north - (r + 0.5) * dy);
  return {
    width: size,
    height: size,
    transform: [BOX.west, dx, 0, BOX.north, 0, -dy],
    crs: 'EPSG:4326',
    lon,
    lat,
    x: lon.map((value) => (value - BOX.west) * KM_PER_LON),
    y: lat.map((value) => (value - BOX.south) * KM_PER_LAT),
  };
}

/** Kilometres -> degrees. */
export const placeOf = (x: number, y: number): { lat: number; lon: number } => ({
  lat: BOX.south + y / KM_PER_LAT,
  lon: BOX.west + x / KM_PER_LON,
});

export const EXTENT_KM = {
  x: (BOX.east - BOX.west) * KM_PER_LON,
  y: (BOX.north - BOX.south) * KM_PER_LAT,
} as const;
