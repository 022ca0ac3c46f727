/** Numbers, times and places as the page prints them. */
import type { Estimate, Footprint } from '../../schemas/records/index.js';

/** `0.934`; `n/a` for nothing. Rounded, never cut. */
export function number(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return 'n/a';
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? (0).toFixed(digits) : text).replace('-', '\u2212');
}

/** A probability: never printed as a certainty. */
export function chance(p: number | null | undefined): string {
  const text = number(p);
  return text === '1.000' ? '> 0.999' : text === '0.000' ? '< 0.001' : text;
}

/** A gain with its sign: `+0.021`. */
export function signed(value: number | null | undefined, digits = 3): string {
  const text = number(value, digits);
  return value && value > 0 && text !== 'n/a' ? `+${text}` : text;
}

/** `0.881 to 0.962`; the reason where there is no interval. */
export function interval(estimate: Estimate | null | undefined, digits = 3, form = number): string {
  if (!estimate) return 'not computed';
  if (!estimate.ci95) return estimate.reason ?? 'no interval';
  return `${form(estimate.ci95[0], digits)} to ${form(estimate.ci95[1], digits)}`;
}

/** `0.881 to 0.962`, or two words where the reason stands elsewhere; a value that does not exist keeps its reason. */
export function brief(estimate: Estimate | null | undefined, form = number): string {
  if (estimate && !estimate.ci95 && estimate.value !== null) return 'no interval';
  return interval(estimate, 3, form);
}

/** Why intervals are missing, each reason once: `No interval: 2 events, at least 8 are needed.` Empty where none is. */
export function whyNoInterval(estimates: readonly (Estimate | null | undefined)[]): string {
  const without = estimates.filter((e) => e && e.value !== null && !e.ci95 && e.reason);
  const reasons = new Set(without.map((e) => e!.reason!.replace(/^not estimable: /, '')));
  return reasons.size > 0 ? `No interval: ${[...reasons].join('; ')}.` : '';
}

export const count = (n: number): string => n.toLocaleString('en-US').replaceAll(',', '\u2009');
export const percent = (share: number, digits = 1): string => `${number(100 * share, digits)} %`;
export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`;

/** `2026-03-25 07:00 UTC`; the position for pictures without times. */
export function instant(time: number, kind: 'utc' | 'none' = 'utc'): string {
  if (kind === 'none') return `picture ${time + 1}`;
  const iso = new Date(time).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, iso.slice(17, 19) === '00' ? 16 : 19)} UTC`;
}

/** `36 h`, `4.5 d` */
export function duration(ms: number): string {
  const hours = ms / 3_600_000;
  if (hours < 1) return `${number(ms / 60_000, 0)} min`;
  return hours < 72 ? `${Number(hours.toFixed(1))} h` : `${Number((hours / 24).toFixed(1))} d`;
}

export const latitude = (lat: number): string => `${Math.abs(Math.round(lat))}\u00b0${lat < 0 ? 'S' : 'N'}`;
export function longitude(lon: number): string {
  const wrapped = wrap(Math.round(lon));
  if (wrapped === 0 || Math.abs(wrapped) === 180) return `${Math.abs(wrapped)}\u00b0`;
  return `${Math.abs(wrapped)}\u00b0${wrapped < 0 ? 'W' : 'E'}`;
}
export const place = (lat: number, lon: number): string => `${latitude(lat)} ${longitude(lon)}`;
/** Longitude in [-180, 180). */
export const wrap = (lon: number): number => ((((lon + 180) % 360) + 360) % 360) - 180;

export const centreOf = ([west, south, east, north]: Footprint): [lat: number, lon: number] => [
  (south + north) / 2,
  wrap((west + east) / 2),
];
