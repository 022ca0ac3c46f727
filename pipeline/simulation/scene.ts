/** Pressure and infrared of one moment before the sensor has its say. */
import { hash32 } from '../random.js';
import type { SimulatedGrid } from './box.js';
import { valueNoise } from './noise.js';
import { type StormTrack, stormAt } from './storms.js';
import { imprint, REACH } from './vortex.js';
import { type Wave, WESTERLY, wavesAt } from './waves.js';

export interface World {
  grid: SimulatedGrid;
  /** `[height * width]`, 1 land. */
  land: Uint8Array;
  waves: readonly Wave[];
  storms: readonly StormTrack[];
  seed: number;
  /** Hour of the day, UTC, of the first frame. */
  hourOfDay: number;
}

export interface Scene {
  /** `[height * width]`, K. */
  brightness: Float64Array;
  /** `[height * width]`, hPa. */
  pressure: Float64Array;
}

const MEAN_PRESSURE = 1015;
/** hPa a kilometre northward: what westerlies of the mean wind need, less friction. */
const PRESSURE_SLOPE = -0.0035;

/** The scene at `hour` since the first frame, written into buffers that are used again. */
export function scene(world: World, hour: number, out: Scene): void {
  const { grid, land, seed } = world;
  const waves = wavesAt(world.waves, hour);
  const active = world.storms.flatMap((storm) => {
    const at = stormAt(storm, hour);
    return at ? [{ storm, at, reach: REACH[storm.kind] * storm.radius }] : [];
  });
  const cloudSeed = hash32('cloud', seed);
  const textureSeed = hash32('texture', seed);
  const middle = grid.y[grid.height >> 1];
  for (let row = 0, cell = 0; row < grid.height; row++)
    for (let column = 0; column < grid.width; column++, cell++) {
      const [x, y] = [grid.x[column], grid.y[row]];
      let wave = 0;
      for (const { k, l, amplitude, phase } of waves) wave += amplitude * Math.cos(k * x + l * y + phase);
      let pressure = MEAN_PRESSURE + PRESSURE_SLOPE * (y - middle) + wave;
      const drift = x - 0.8 * WESTERLY * hour;
      const rough = texture(drift, y, hour, textureSeed);
      const background = backgroundCloud(drift, y, hour, cloudSeed, wave);
      const surface = surfaceTemperature(world, land[cell], row, column, hour);
      let brightness = surface - background * (surface - 258) - 2 * rough * background;
      for (const { storm, at, reach } of active) {
        const [dx, dy] = [x - at.x, y - at.y];
        if (Math.abs(dx) > reach || Math.abs(dy) > reach) continue;
        const { pressure: deficit, cloud } = imprint(storm, at, dx, dy);
        pressure += deficit;
        const opacity = Math.min(1, Math.max(0, cloud * (1 + 0.35 * rough)));
        brightness -= opacity * Math.max(0, brightness - (storm.cloudTop + 6 * rough));
      }
      out.pressure[cell] = pressure;
      out.brightness[cell] = brightness;
    }
}

/** Clear-sky brightness: warm steady sea, land that follows the sun (highest at 13 h local time). */
function surfaceTemperature(
  { grid, hourOfDay }: World,
  isLand: number,
  row: number,
  column: number,
  hour: number,
): number {
  const north = grid.lat[row] - 38;
  if (!isLand) return 292 - 0.5 * north;
  const local = hourOfDay + hour + grid.lon[column] / 15;
  return 290 - 0.8 * north + 9 * Math.cos((2 * Math.PI * (local - 13)) / 24);
}

/** Mid-level cloud, more of it in the troughs of the waves. */
function backgroundCloud(x: number, y: number, hour: number, seed: number, wave: number): number {
  const wide = valueNoise(x / 420, y / 420, hour / 14, seed);
  const middle = valueNoise(y / 170, x / 170, hour / 9, seed + 1);
  const fine = valueNoise(x / 75, y / 75, hour / 6, seed + 2);
  const cover = 0.7 * wide + 0.4 * middle + 0.3 * fine - 0.07 * wave;
  return Math.min(0.85, Math.max(0, cover - 0.1));
}

/** Small-scale structure of cloud tops, -1 to 1. */
function texture(x: number, y: number, hour: number, seed: number): number {
  return (
    0.65 * valueNoise(x / 70, y / 70, hour / 4, seed) + 0.35 * valueNoise(x / 30, y / 30, hour / 2, seed + 1)
  );
}
