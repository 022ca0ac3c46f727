/**
 * Attention over locations (Wang et al. 2021, A3Net; after Zhu et al. 2017):
 *   Z = f_att(X): 1x1 conv, relu, 3x3 conv, relu, 1x1 conv without bias;  A = softmax of Z over locations, per class
 *   S = X Ws + b;  M = A S;  score = sum over locations of M
 */
import * as z from 'zod';
import { AttentionWidth, Count } from '../../schemas/config/index.js';
import { ConfigError } from '../errors.js';
import type { Random } from '../random.js';
import { fill, mean, mul, relu, reshape, sigmoid, softmax, sum, type Tensor } from '../tensor/index.js';
import * as conv2d from './conv2d.js';

export const Config = z.strictObject({
  in: Count,
  /** Filters of the 1x1 and of the 3x3 convolution. */
  width: AttentionWidth.default(32),
  classes: Count.default(1),
  /** Start value of S's bias. */
  bias: z.number().default(0),
});
export type Config = z.input<typeof Config>;
export type Parameters = {
  squeeze: conv2d.Parameters;
  spread: conv2d.Parameters;
  logits: conv2d.Parameters;
  linear: conv2d.Parameters;
};

export function init(config: Config, random: Random): Parameters {
  const { in: from, width, classes, bias } = Config.parse(config);
  const [narrow, wide] = [width].flat().concat(width);
  return {
    squeeze: conv2d.init({ in: from, out: narrow, size: 1 }, random.key('squeeze')),
    spread: conv2d.init({ in: narrow, out: wide }, random.key('spread')),
    logits: conv2d.init(
      { in: wide, out: classes, size: 1, bias: false, start: 'glorot' },
      random.key('logits'),
    ),
    linear: {
      ...conv2d.init({ in: from, out: classes, size: 1, bias: false, start: 'glorot' }, random.key('linear')),
      bias: fill([classes], bias),
    },
  };
}

export interface Attention {
  /** Z, attention logits `[frames, h, w, classes]`. */
  logits: Tensor;
  /** A >= 0, sums to 1 over the locations of each class (or over the classes of each location); `[frames, h, w, classes]`. */
  attention: Tensor;
  /** S, class evidence at each location, `[frames, h, w, classes]`. */
  evidence: Tensor;
  /** M = A S `[frames, h, w, classes]`. */
  weighted: Tensor;
  /** What later modules get: M, or U = A sigmoid(S). */
  passed: Tensor;
  /** y, logits `[frames, classes]`. */
  score: Tensor;
}

export interface Form {
  softmax?: 'locations' | 'classes';
  score?: 'sum' | 'mean';
  pass?: 'linear' | 'sigmoid';
}

/**
 * `x [frames, h, w, in]`, already gated by squeezeExcite.
 * @throws ConfigError where the weights would be the constant 1: one location, or one class.
 */
export function apply(
  parameters: Parameters,
  x: Tensor,
  { softmax: over = 'locations', score = 'sum', pass = 'linear' }: Form = {},
): Attention {
  const narrow = relu(conv2d.apply(parameters.squeeze, { x }));
  const logits = conv2d.apply(parameters.logits, {
    x: relu(conv2d.apply(parameters.spread, { x: narrow })),
  });
  refuseConstant(logits.shape, over);
  const attention = over === 'classes' ? softmax(logits, 3) : overLocations(logits);
  const evidence = conv2d.apply(parameters.linear, { x });
  const weighted = mul(attention, evidence);
  const passed = pass === 'sigmoid' ? mul(attention, sigmoid(evidence)) : weighted;
  const pooled = score === 'mean' ? mean(weighted, [1, 2]) : sum(weighted, [1, 2]);
  return { logits, attention, evidence, weighted, passed, score: pooled };
}

function overLocations(logits: Tensor): Tensor {
  const [frames, height, width, classes] = logits.shape;
  return reshape(softmax(reshape(logits, [frames, height * width, classes]), 1), logits.shape);
}

function refuseConstant([, height, width, classes]: number[], over: 'locations' | 'classes'): void {
  if (over === 'classes' && classes === 1)
    throw new ConfigError('cannot attend over the classes of one class: every weight would be 1', {
      hint: 'set attention.softmax: locations',
      fields: { softmax: over, classes },
    });
  if (over === 'locations' && height * width === 1)
    throw new ConfigError('cannot attend over the locations of a map of 1 x 1: its weight would be 1', {
      hint: 'take an earlier tap, fewer blocks or larger maps',
      fields: { softmax: over, height, width },
    });
}
