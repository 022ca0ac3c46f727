/**
 * Conv blocks with squeeze-excite, then element-wise attention with its auxiliary score (Wang et al. 2021):
 *   evidence = FC(GAP(X)) + score(X), auxiliary = score(X)
 */
import type { CnnConfig } from '../../schemas/config/index.js';
import { ConfigError } from '../errors.js';
import {
  batchNorm,
  conv2d,
  dropout,
  elementAttention,
  linear,
  type Mode,
  segment,
  squeezeExcite,
} from '../nn/index.js';
import type { Random } from '../random.js';
import { add, concat, mean, type ParameterTree, relu, reshape, type Tensor } from '../tensor/index.js';
import type { Encoded, MapGrid, ModelShape } from './model.js';

type Block = { conv: conv2d.Parameters; norm?: batchNorm.Parameters; gate: squeezeExcite.Parameters };
type Parameters = {
  [block: `block${number}`]: Block;
  attention: elementAttention.Parameters;
  output: linear.Parameters;
};

/** Evidence and the pooled maps of the last block. */
export const featureCount = ({ widths }: CnnConfig): number => 1 + widths.at(-1)!;

/** @throws ConfigError for maps that shrink to a single cell, where attention is the constant 1. */
export function mapGrid({ widths }: CnnConfig, shape: ModelShape): MapGrid {
  const stride = 2 ** (widths.length - 1);
  const height = Math.ceil(shape.height / stride);
  const width = Math.ceil(shape.width / stride);
  if (height * width === 1)
    throw new ConfigError(
      `cannot build the model: ${widths.length} blocks shrink ${shape.height} x ${shape.width} cells to one, where attention is the constant 1`,
      { hint: 'give model.encoder.widths fewer entries', fields: { widths, stride } },
    );
  return { height, width, margin: 0, stride };
}

export function init(config: CnnConfig, shape: ModelShape, random: Random, logit: number): ParameterTree {
  const { widths, norm, reduction, attentionWidth } = config;
  const parameters: Record<string, unknown> = {};
  widths.forEach((out, i) => {
    const from = i === 0 ? shape.channels : widths[i - 1];
    const own = random.key(`block${i}`);
    parameters[`block${i}`] = {
      conv: conv2d.init({ in: from, out, bias: norm === 'none' }, own.key('conv')),
      ...(norm === 'batch' ? { norm: batchNorm.init({ channels: out }) } : {}),
      gate: squeezeExcite.init({ channels: out, reduction }, own.key('gate')),
    };
  });
  const last = widths.at(-1)!;
  parameters.attention = elementAttention.init(
    { in: last, width: attentionWidth, bias: logit },
    random.key('attention'),
  );
  parameters.output = linear.init({ in: last, out: 1, bias: false }, random.key('output'));
  return parameters as ParameterTree;
}

/** `x [frames, height, width, channels]` */
export function encode(config: CnnConfig, tree: ParameterTree, x: Tensor, mode: Mode): Encoded {
  const parameters = tree as unknown as Parameters;
  const updates: Record<string, Tensor> = {};
  let h = x;
  for (let i = 0; i < config.widths.length; i++) h = block(parameters[`block${i}`], h, i, mode, updates);
  const { logits, score } = elementAttention.apply(parameters.attention, h);
  const [frames, height, width] = logits.shape;
  const pooled = mean(h, [1, 2]); // [frames, last width]
  const dropped = dropout.apply({ rate: config.dropout }, pooled, mode);
  const auxiliary = reshape(score, [frames]);
  const evidence = add(reshape(linear.apply(parameters.output, dropped), [frames]), auxiliary);
  const features = concat([reshape(evidence, [frames, 1]), dropped], 1);
  return { evidence, features, map: reshape(logits, [frames, height, width]), auxiliary, updates };
}

/** Convolution (stride 2 in all blocks but the first), norm, relu, channel gate. */
function block(
  { conv, norm, gate }: Block,
  x: Tensor,
  i: number,
  mode: Mode,
  updates: Record<string, Tensor>,
): Tensor {
  const convolved = (kernel: conv2d.Parameters, from: Tensor) =>
    conv2d.apply(kernel, { x: from, strides: i === 0 ? 1 : 2 }); // [frames, h / 2, w / 2, widths[i]]
  const gated = (own: squeezeExcite.Parameters, h: Tensor) => squeezeExcite.apply(own, relu(h)).y;
  if (!norm)
    return segment(mode, { conv, gate }, x, (own, from) => gated(own.gate, convolved(own.conv, from)));
  const { y, update } = batchNorm.apply(norm, convolved(conv, x), mode);
  for (const [name, value] of Object.entries(update ?? {})) updates[`block${i}/norm/${name}`] = value;
  return gated(gate, y);
}
