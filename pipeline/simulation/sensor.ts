/** What the sensor adds and loses: noise, rounding to stored integers, lost lines, lost frames. */
import type { Random } from '../random.js';
import type { Scene } from './scene.js';

/** Stored as int16: physical = stored * scale + offset. */
export const STORED = {
  names: ['ir108', 'msl'],
  units: ['K', 'hPa'],
  scale: [0.01, 0.01],
  offset: [250, 1000],
  nodata: -32768,
} as const;
/** Standard deviation of the noise: K and hPa. */
export const NOISE = { brightness: 0.3, pressure: 0.15 } as const;

/** Noisy stored values `[height, width, band]`; lines lost by the scanner are nodata in the infrared band. */
export function sense(
  { brightness, pressure }: Scene,
  { width, height, defects }: { width: number; height: number; defects: number },
  random: Random,
): { values: Int16Array; lostLines: number } {
  const values = new Int16Array(width * height * 2);
  const noise = random.key('noise');
  for (let cell = 0; cell < width * height; cell++) {
    values[2 * cell] = toStored(brightness[cell] + NOISE.brightness * noise.normal(), 0);
    values[2 * cell + 1] = toStored(pressure[cell] + NOISE.pressure * noise.normal(), 1);
  }
  const lines = lostLines(height, defects, random.key('defects'));
  for (const line of lines)
    for (let column = 0; column < width; column++) values[2 * (line * width + column)] = STORED.nodata;
  return { values, lostLines: lines.size };
}

function toStored(value: number, band: 0 | 1): number {
  const stored = Math.round((value - STORED.offset[band]) / STORED.scale[band]);
  return Math.min(32767, Math.max(-32767, stored));
}

/** One to three strips, each up to a fortieth of the map. */
function lostLines(height: number, share: number, random: Random): Set<number> {
  const lines = new Set<number>();
  if (random.uniform() >= share) return lines;
  const strips = 1 + random.integer(3);
  for (let strip = 0; strip < strips; strip++) {
    const first = random.integer(height);
    const count = 1 + random.integer(Math.max(1, Math.round(height / 40)));
    for (let line = first; line < Math.min(height, first + count); line++) lines.add(line);
  }
  return lines;
}

const LONGEST_GAP = 6;

/** 1 for frames that are never received: outages of 1 to 6 frames, in all about `share` of the season. */
export function lostFrames(frames: number, share: number, random: Random): Uint8Array {
  const lost = new Uint8Array(frames);
  const mean = (1 + LONGEST_GAP) / 2;
  const chance = share / (mean * (1 - share));
  for (let frame = 0; frame < frames; frame++) {
    if (random.uniform() >= chance) continue;
    const end = Math.min(frames, frame + 1 + random.integer(LONGEST_GAP));
    lost.fill(1, frame, end);
    frame = end; // at least one frame is received between outages
  }
  return lost;
}
