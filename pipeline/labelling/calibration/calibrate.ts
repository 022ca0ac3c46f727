/**
 * From raw logits to probabilities: calibrated = a (logit - prior) + b. How much is fitted depends on how many events
 * there are: none below 5, a temperature below 15, Platt's two numbers and both thresholds from 15 on.
 *
 *   const calibration = fitCalibration(logits, labels, events, prior, { segments, fittedOn });
 */
import type { Calibration } from '../../../schemas/records/index.js';
import type { Segment } from '../../sequences/index.js';
import type { PostProcess } from '../events/hysteresis.js';
import { fitPlatt, fitTemperature } from './platt.js';
import { chooseThresholds } from './thresholds.js';

export interface CalibrationOptions {
  /** Stretches without a gap that the entries form, in positions; default: one. */
  segments?: readonly Segment[];
  fillGap?: number;
  minimumRun?: number;
  /** Fixed thresholds; default: chosen for the best CSI after post-processing. */
  high?: number;
  low?: number;
  /** Where the logits come from, in words. */
  fittedOn?: string;
}

export const TEMPERATURE_EVENTS = 5;
export const PLATT_EVENTS = 15;
/** A slope at or below this says that the logits have no skill out of fold; the order is never turned round. */
const LEAST_SLOPE = 0.01;

/**
 * `logits` as the model gives them, out of fold, in (series, time) order; NaN and labels below 0 count in nothing but
 * keep their place in time. `events`: labelled events among them. `prior`: what training added to every logit.
 */
export function fitCalibration(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  events: number,
  prior: number,
  options: CalibrationOptions = {},
): Calibration {
  const { fillGap = 1, minimumRun = 1 } = options;
  const { a, b, method, note } = fitLine(logits, labels, events, prior);
  const fittedOn = `${options.fittedOn ?? 'the logits given'}, ${events} events${note}`;
  const base: Calibration = {
    method,
    a,
    b,
    prior,
    high: 0.5,
    low: 0.5,
    fillGap,
    minimumRun,
    fittedOn,
    events,
  };
  const thresholds = chosen(logits, labels, base, options);
  return { ...base, ...thresholds };
}

/** The calibration of a model that nothing could be fitted for. */
export function priorCalibration(prior: number, options: CalibrationOptions = {}): Calibration {
  const { fillGap = 1, minimumRun = 1, high = 0.5, fittedOn = 'nothing' } = options;
  const low = Math.min(options.low ?? high, high);
  const fixed = { high, low, fillGap, minimumRun, fittedOn, events: 0 };
  return { method: 'prior', a: 1, b: 0, prior, ...fixed };
}

/** Calibrated log odds; NaN stays NaN. */
export function applyCalibration({ a, b, prior }: Calibration, logits: ArrayLike<number>): Float64Array {
  return Float64Array.from(logits, (z) => a * (z - prior) + b);
}

export function sigmoid(z: number): number {
  return z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z));
}

function fitLine(logits: ArrayLike<number>, labels: ArrayLike<number>, events: number, prior: number) {
  const none = { a: 1, b: 0, method: 'prior' as const };
  if (events < TEMPERATURE_EVENTS) return { ...none, note: ': too few to fit more than the prior' };
  const judged = [...Array(logits.length).keys()].filter((i) => !Number.isNaN(logits[i]) && labels[i] >= 0);
  const z = Float64Array.from(judged, (i) => logits[i] - prior);
  const y = Uint8Array.from(judged, (i) => labels[i]);
  if (!y.includes(0) || !y.includes(1)) return { ...none, note: ': one class only' };
  if (events < PLATT_EVENTS) {
    const a = fitTemperature(z, y, LEAST_SLOPE);
    return { a, b: 0, method: 'temperature' as const, note: flat(a) };
  }
  const { a, b } = fitPlatt(z, y, LEAST_SLOPE);
  return { a, b, method: 'platt' as const, note: flat(a) };
}

const flat = (a: number): string =>
  a <= LEAST_SLOPE ? ': out of fold the logits do not tell storm from calm' : '';

function chosen(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  calibration: Calibration,
  { segments, high, low }: CalibrationOptions,
): Pick<PostProcess, 'high' | 'low'> {
  if (high !== undefined) return { high, low: Math.min(low ?? high, high) };
  const probability = applyCalibration(calibration, logits).map(sigmoid);
  const whole: Segment[] = [{ series: 0, start: 0, length: logits.length }];
  const best = chooseThresholds(probability, labels, segments ?? whole, {
    ...calibration,
    single: calibration.events < PLATT_EVENTS,
  });
  return low === undefined ? best : { high: Math.max(best.high, low), low };
}
