/** Where in the year an instant lies. */

/** Mean Gregorian year; the phase drifts by less than a day from the calendar in any century. */
export const YEAR_MS = 365.2425 * 86_400_000;

/** Sine and cosine of the year and of the half year: `[sin1, cos1, sin2, cos2]`; phase 0 at 1970-01-01T00:00Z. */
export function seasonFeatures(timeMs: number): [number, number, number, number] {
  const phase = yearPhase(timeMs);
  return [Math.sin(phase), Math.cos(phase), Math.sin(2 * phase), Math.cos(2 * phase)];
}

/** Writes 1, cos, sin, cos 2, sin 2 ... of the year into `out`; its length decides how many. */
export function seasonalBasis(timeMs: number, out: Float64Array): void {
  const phase = yearPhase(timeMs);
  out[0] = 1;
  for (let h = 1; 2 * h < out.length; h++) {
    out[2 * h - 1] = Math.cos(h * phase);
    out[2 * h] = Math.sin(h * phase);
  }
}

function yearPhase(timeMs: number): number {
  return 2 * Math.PI * (timeMs / YEAR_MS - Math.floor(timeMs / YEAR_MS));
}
