/** What a storm does to pressure and cloud around it. Distances in km, pressure in hPa, cloud as opacity 0 to 1. */
import type { StormPoint, StormTrack } from './storms.js';

export interface Imprint {
  /** Added to pressure. */
  pressure: number;
  /** Opacity of the storm's cloud. */
  cloud: number;
}

/** Beyond this many radii a storm is not felt. */
export const REACH = { medicane: 9, low: 3.2 } as const;

/** At (dx, dy) km east and north of the centre. */
export function imprint(storm: StormTrack, at: StormPoint, dx: number, dy: number): Imprint {
  const r = Math.hypot(dx, dy) + 1e-6;
  const s = r / storm.radius;
  const angle = Math.atan2(dy, dx);
  return storm.kind === 'medicane' ? medicane(storm, at, s, angle) : low(storm, at, s, angle);
}

/** Holland's (1980) profile with B = 1.3, cut off smoothly; a ring of cloud, two spiral bands, an eye once mature. */
function medicane(storm: StormTrack, { intensity, age }: StormPoint, s: number, angle: number): Imprint {
  const far = Math.exp(-((s / 6) ** 2));
  const pressure = -storm.depth * intensity * (1 - Math.exp(-(s ** -1.3))) * far;
  const ring = Math.exp(-(((s - 1.1) / 0.9) ** 2));
  const turn = storm.phase + PATTERN_TURN * age;
  // Bands run inward in the sense of rotation, counter-clockwise.
  const band = (0.5 + 0.5 * Math.cos(2 * (angle + BAND_PITCH * Math.log(s + 0.2) - turn))) ** 3;
  const bands = band * Math.exp(-((s / 4.2) ** 2)) * (1 - Math.exp(-(s * s)));
  const eye = Math.min(1, Math.max(0, (intensity - 0.55) / 0.35)) * Math.exp(-((s / 0.38) ** 2));
  return { pressure, cloud: Math.min(1, ring + 0.9 * bands) * (0.45 + 0.55 * intensity) * (1 - 0.95 * eye) };
}

/** Radians an hour that the cloud bands turn; one turn in about 14 h. */
const PATTERN_TURN = 0.45;
const BAND_PITCH = 2.4;

/** A broad Gaussian low; one comma-shaped band of cloud ahead of it and a dry slot behind. */
function low(storm: StormTrack, { intensity, age }: StormPoint, s: number, angle: number): Imprint {
  const pressure = -storm.depth * intensity * Math.exp(-0.5 * s * s);
  const wound = angle + 1.3 * Math.log(s + 0.3) - 0.4 - 0.02 * age + 0.3 * Math.sin(storm.phase);
  const arm = (0.5 + 0.5 * Math.cos(wound)) ** 4;
  const head = 0.7 * Math.exp(-(((s - 0.35) / 0.35) ** 2)) * (0.5 + 0.5 * Math.sin(angle));
  const cloud = Math.min(1, arm * Math.exp(-(((s - 0.8) / 0.75) ** 2)) + head);
  return { pressure, cloud: cloud * (0.4 + 0.6 * intensity) };
}
