/** Background pressure: plane Rossby waves that drift with the westerlies, each at the speed its length gives it. */
import type { Random } from '../random.js';
import { BOX } from './box.js';

export interface Wave {
  /** hPa */
  amplitude: number;
  /** Radians a kilometre, eastward and northward. */
  k: number;
  l: number;
  /** Radians an hour. */
  frequency: number;
  phase: number;
  /** Hours in which the amplitude swells and fades, and where in that it starts. */
  period: number;
  swell: number;
}

const WAVES = 7;
/** Zonal mean wind, km/h (12 m/s). */
export const WESTERLY = 43.2;
/** Planetary vorticity gradient at the middle of the box, per km and hour: 2 omega cos(lat) / R. */
const BETA = (2 * 7.292e-5 * 3600 * Math.cos((((BOX.south + BOX.north) / 2) * Math.PI) / 180)) / 6371;

/** Lengths of 1,500 to 6,000 km; longer waves are stronger and slower: c = U - beta / (k^2 + l^2). */
export function drawWaves(random: Random): Wave[] {
  return random.split(WAVES).map((own) => {
    const length = 1500 * 4 ** own.uniform();
    const tilt = (own.uniform() - 0.5) * 1.6;
    const [k, l] = [((2 * Math.PI) / length) * Math.cos(tilt), ((2 * Math.PI) / length) * Math.sin(tilt)];
    return {
      amplitude: 2.2 * (length / 3000) ** 0.7 * (0.6 + 0.8 * own.uniform()),
      k,
      l,
      frequency: k * (WESTERLY - BETA / (k * k + l * l)),
      phase: 2 * Math.PI * own.uniform(),
      period: 60 + 120 * own.uniform(),
      swell: 2 * Math.PI * own.uniform(),
    };
  });
}

/** Amplitude (hPa) and phase of each wave at an hour, so that the loop over cells is short. */
export function wavesAt(
  waves: readonly Wave[],
  hour: number,
): { k: number; l: number; amplitude: number; phase: number }[] {
  return waves.map(({ k, l, amplitude, frequency, phase, period, swell }) => ({
    k,
    l,
    amplitude: amplitude * (0.75 + 0.25 * Math.sin((2 * Math.PI * hour) / period + swell)),
    phase: phase - frequency * hour,
  }));
}
