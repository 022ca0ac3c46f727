/**
 * Attention over locations (Wang et al. 2021, A3Net; after Zhu et al. 2017):
 *   Z = f_att(X): 1x1 conv, relu, 3x3 conv, relu, 1x1 conv without bias;  A = softmax of Z over locations, per class
 *   S = X Ws + b;  M = A S;  score = sum over locations of M
 */
import * as z from 'zod';
import { Count } from '../../schemas/config/index.js';
import type { Random } from '../random.js';
import { fill, mul, relu, reshape, softmax, sum, type Tensor } from '../tensor/index.js';
import * as conv2d from './conv2d.js';

export const Config = z.strictObject({
  in: Count,
  width: Count.default(32),
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
  return {
    squeeze: conv2d.init({ in: from, out: width, size: 1 }, random.key('squeeze')),
    spread: conv2d.init({ in: width, out: width }, random.key('spread')),
    logits: conv2d.init(
      { in: width, out: classes, size: 1, bias: false, start: 'glorot' },
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
  /** A >= 0, sums to 1 over the locations of each class; `[frames, h, w, classes]`. */
  attention: Tensor;
  /** S, class evidence at each location, `[frames, h, w, classes]`. */
  evidence: Tensor;
  /** M = A S `[frames, h, w, classes]`. */
  weighted: Tensor;
  /** y, logits `[frames, classes]`. */
  score: Tensor;
}

/** `x [frames, h, w, in]`, already gated by squeezeExcite. */
export function apply(parameters: Parameters, x: Tensor): Attention {
  const [frames, height, width] = x.shape;
  const narrow = relu(conv2d.apply(parameters.squeeze, { x }));
  const logits = conv2d.apply(parameters.logits, {
    x: relu(conv2d.apply(parameters.spread, { x: narrow })),
  });
  const [, , , classes] = logits.shape;
  const flat = softmax(reshape(logits, [frames, height * width, classes]), 1); // over locations
  const attention = reshape(flat, [frames, height, width, classes]);
  const evidence = conv2d.apply(parameters.linear, { x });
  const weighted = mul(attention, evidence);
  return { logits, attention, evidence, weighted, score: sum(weighted, [1, 2]) };
}
