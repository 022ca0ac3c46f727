/**
 * Channel, element and scale attention over taps X_l of any backbone (Wang et al. 2021, A3Net):
 *   Xc = u X;  A, S, M of Xc;  F = sum over l of beta_l M_l;  logits = FC(GAP(Xc of the last tap)) + sum over locations of F
 * Every tap has a score of its own for an auxiliary loss in the middle of the network.
 *
 *   const module = tripleAttention.build({ channels: [32, 64] });
 *   const { logits, scores, attention, weights } = module.apply(module.init(random), taps, mode);
 */
import * as z from 'zod';
import { AttentionConfig, AttentionWidth, Count, Share } from '../../schemas/config/index.js';
import { ConfigError } from '../errors.js';
import type { Random } from '../random.js';
import { add, div, fill, mean, mul, stopGradient, sum, type Tensor } from '../tensor/index.js';
import * as dropout from './dropout.js';
import * as elementAttention from './elementAttention.js';
import * as linear from './linear.js';
import type { Mode } from './mode.js';
import * as scaleAttention from './scaleAttention.js';
import * as squeezeExcite from './squeezeExcite.js';

export const Config = z.strictObject({
  ...AttentionConfig.omit({ taps: true }).shape,
  /** Channels of each tap, from the first block to the last. */
  channels: z.array(Count).min(1),
  classes: Count.default(1),
  reduction: Count.default(16),
  width: AttentionWidth.default(32),
  dropout: Share.default(0),
  /** Index of the tap on whose grid the maps are put together; default the last but one. */
  grid: z.int().min(0).optional(),
});
export type Config = z.input<typeof Config>;

type Tap = { gate?: squeezeExcite.Parameters; element?: elementAttention.Parameters };
export type Parameters = {
  /** Nothing of a tap or of the scales is stored where there is nothing to learn. */
  [tap: `tap${number}`]: Tap | undefined;
  scale?: scaleAttention.Parameters;
  output: linear.Parameters;
};

export interface Attended {
  /** `[frames, classes]` */
  logits: Tensor;
  /** GAP of the gated maps of the last tap after dropout, `[frames, channels]`. */
  pooled: Tensor;
  /** y of each tap, logits `[frames, classes]`; none without element attention. */
  scores: readonly Tensor[];
  /** A of each tap, `[frames, h_l, w_l, classes]`. */
  attention: readonly Tensor[];
  /** beta `[frames, taps, classes]`, sums to 1 over the taps; null without scale attention. */
  weights: Tensor | null;
  /** Where it looked, `[frames, h, w, classes]`, sums to 1 over locations; null without element attention. */
  looked: Tensor | null;
}

export interface TripleAttention {
  /** Index of the tap on whose grid `looked` lies. */
  readonly grid: number;
  /** The first logits lie near `bias` (default 0). */
  init(random: Random, start?: { bias?: number }): Parameters;
  /** What the blocks after tap `l` read: `x`, or 2u x where gates are inline. */
  onward(parameters: Parameters, l: number, x: Tensor): Tensor;
  /** `taps`: `[frames, h_l, w_l, channels_l]` as the blocks gave them, ungated. */
  apply(parameters: Parameters, taps: readonly Tensor[], mode: Mode): Attended;
}

/** @throws ConfigError for modules that do not go together. */
export function build(input: Config): TripleAttention {
  const config = Config.parse(input);
  const { channels, modules } = config;
  refuseMismatch(config);
  const scaled = modules.includes('scale');
  const grid = scaled ? (config.grid ?? Math.max(0, channels.length - 2)) : channels.length - 1;
  return {
    grid,
    init: (random, { bias = 0 } = {}) => start(config, random, bias),
    onward: (parameters, l, x) => {
      const { gate } = parameters[`tap${l}`] ?? {};
      return gate && config.gate === 'inline' ? mul(squeezeExcite.apply(gate, x).y, 2) : x;
    },
    apply: (parameters, taps, mode) => attend(config, grid, parameters, taps, mode),
  };
}

function refuseMismatch({ channels, modules, grid, softmax, classes }: z.output<typeof Config>): void {
  const refuse = (message: string, hint: string) => {
    throw new ConfigError(message, { hint, fields: { modules, taps: channels.length, grid, softmax } });
  };
  if (modules.includes('scale') && !modules.includes('element'))
    refuse(
      'cannot weigh scales without element attention: there are no maps to weigh',
      'add element to attention.modules, or take scale out',
    );
  if (grid !== undefined && grid >= channels.length)
    refuse(`there is no tap ${grid}: there are ${channels.length}`, 'leave attention.grid out');
  if (softmax === 'classes' && classes === 1 && modules.includes('element'))
    refuse(
      'cannot attend over the classes of one class: every weight would be 1',
      'set attention.softmax: locations',
    );
}

function start(config: z.output<typeof Config>, random: Random, bias: number): Parameters {
  const { channels, modules, classes, reduction, width, hidden } = config;
  const output = linear.init({ in: channels.at(-1)!, out: classes, bias: false }, random.key('output'));
  const parameters: Parameters = {
    output: startsAtBias(config) ? output : { ...output, bias: fill([classes], bias) },
  };
  channels.forEach((from, l) => {
    const own = random.key(`tap${l}`);
    const tap: Tap = {};
    if (modules.includes('channel') && (l === channels.length - 1 || isRead(config)))
      tap.gate = squeezeExcite.init({ channels: from, reduction }, own.key('gate'));
    if (modules.includes('element'))
      tap.element = elementAttention.init({ in: from, width, classes, bias }, own.key('element'));
    parameters[`tap${l}`] = tap;
  });
  if (modules.includes('scale'))
    parameters.scale = scaleAttention.init({ taps: channels.length, classes, hidden }, random.key('scale'));
  return parameters;
}

/** Whether anything reads the gated maps of a tap that is not the last. */
const isRead = ({ modules, gate }: z.output<typeof Config>): boolean =>
  modules.includes('element') || gate === 'inline';

/** Sums of maps whose weights sum to 1 start at S's bias by themselves; otherwise the output has one. */
const startsAtBias = ({ modules, softmax, score, pass }: z.output<typeof Config>): boolean =>
  modules.includes('element') && softmax === 'locations' && score === 'sum' && pass === 'linear';

function attend(
  config: z.output<typeof Config>,
  grid: number,
  parameters: Parameters,
  taps: readonly Tensor[],
  mode: Mode,
): Attended {
  const { modules, detach, score } = config;
  const inner = taps.map((x) => (detach ? stopGradient(x) : x));
  const gated = taps.map((x, l) => gatedMaps(parameters[`tap${l}`] ?? {}, x, inner[l]));
  const dropped = dropout.apply({ rate: config.dropout }, mean(gated.at(-1)!.main, [1, 2]), mode);
  const output = linear.apply(parameters.output, dropped); // [frames, classes]
  const none = { pooled: dropped, scores: [], attention: [], weights: null, looked: null };
  if (!modules.includes('element')) return { ...none, logits: output };
  const found = gated.map(({ own }, l) =>
    elementAttention.apply(parameters[`tap${l}`]!.element!, own, config),
  );
  const attention = found.map((tap) => tap.attention);
  const scores = found.map((tap) => tap.score);
  const seen = { pooled: dropped, scores, attention };
  const pool = (map: Tensor) => (score === 'mean' ? mean(map, [1, 2]) : sum(map, [1, 2]));
  if (!modules.includes('scale')) {
    const [last] = found.slice(-1);
    const looked = overLocations(last.attention);
    return { ...seen, logits: add(output, pool(last.passed)), weights: null, looked };
  }
  const maps = found.map((tap) => tap.passed);
  const scaled = scaleAttention.apply(parameters.scale ?? {}, { maps, attention, grid, score });
  return { ...seen, logits: add(output, pool(scaled.map)), weights: scaled.weights, looked: scaled.looked };
}

/** Divided by the sum over locations, which is 1 already unless weights sum over classes. */
const overLocations = (attention: Tensor): Tensor => div(attention, sum(attention, [1, 2], true));

/** Xc for the main output, and for the element attention, which may read a copy that sends no gradient back. */
function gatedMaps({ gate }: Tap, x: Tensor, inner: Tensor): { main: Tensor; own: Tensor } {
  if (!gate) return { main: x, own: inner };
  const own = squeezeExcite.apply(gate, inner);
  if (inner === x) return { main: own.y, own: own.y };
  return { main: squeezeExcite.gated(x, own.gate), own: own.y };
}
