/**
 * Conv blocks with attention (Wang et al. 2021). Without `attention` in the config: squeeze-excite in every block, then
 * element-wise attention on the last with its auxiliary score:
 *   evidence = FC(GAP(X)) + score(X), auxiliary = score(X)
 * With it: plain blocks, and channel, element and scale attention at the chosen ones.
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
  type tripleAttention,
} from '../nn/index.js';
import type { Random } from '../random.js';
import { add, concat, mean, type ParameterTree, relu, reshape, type Tensor } from '../tensor/index.js';
import { attentionOver, type BackboneAttention } from './attention.js';
import type { Encoded, MapGrid, ModelShape } from './model.js';

type Block = { conv: conv2d.Parameters; norm?: batchNorm.Parameters; gate?: squeezeExcite.Parameters };
type Blocks = { [block: `block${number}`]: Block };
type Plain = Blocks & { attention: elementAttention.Parameters; output: linear.Parameters };
type Attended = Blocks & { attention: tripleAttention.Parameters };

/** Evidence and the pooled maps of the last block. */
export const featureCount = ({ widths }: CnnConfig): number => 1 + widths.at(-1)!;

/** @throws ConfigError for maps that shrink to a single cell, where attention is the constant 1. */
export function mapGrid(config: CnnConfig, shape: ModelShape): MapGrid {
  const { height, width, stride } = blockShapes(config, shape).at(-1)!;
  const { widths } = config;
  if (height * width === 1)
    throw new ConfigError(
      `cannot build the model: ${widths.length} blocks shrink ${shape.height} x ${shape.width} cells to one, where attention is the constant 1`,
      { hint: 'give model.encoder.widths fewer entries', fields: { widths, stride } },
    );
  return { height, width, margin: 0, stride };
}

/** Every block but the first halves the map. */
const blockShapes = ({ widths }: CnnConfig, { height, width }: ModelShape) =>
  widths.map((channels, i) => {
    const stride = 2 ** i;
    return { channels, stride, height: Math.ceil(height / stride), width: Math.ceil(width / stride) };
  });

/**
 * Null where the config leaves the attention as it is without one.
 * @throws ConfigError for wrong taps.
 */
export function attentionOf(config: CnnConfig, shape: ModelShape): BackboneAttention | null {
  const { attention } = config;
  return attention ? attentionOver({ ...config, attention }, blockShapes(config, shape)) : null;
}

/** `bands`: channels of the input; `own` as of `attentionOf`. */
export function init(
  config: CnnConfig,
  own: BackboneAttention | null,
  { bands, random, logit }: { bands: number; random: Random; logit: number },
): ParameterTree {
  const { widths, norm, reduction, attentionWidth } = config;
  const parameters: Record<string, unknown> = {};
  widths.forEach((out, i) => {
    const from = i === 0 ? bands : widths[i - 1];
    const keys = random.key(`block${i}`);
    parameters[`block${i}`] = {
      conv: conv2d.init({ in: from, out, bias: norm === 'none' }, keys.key('conv')),
      ...(norm === 'batch' ? { norm: batchNorm.init({ channels: out }) } : {}),
      ...(own ? {} : { gate: squeezeExcite.init({ channels: out, reduction }, keys.key('gate')) }),
    };
  });
  const last = widths.at(-1)!;
  if (own) parameters.attention = own.module.init(random.key('attention'), { bias: logit });
  else {
    parameters.attention = elementAttention.init(
      { in: last, width: attentionWidth, bias: logit },
      random.key('attention'),
    );
    parameters.output = linear.init({ in: last, out: 1, bias: false }, random.key('output'));
  }
  return parameters as ParameterTree;
}

/** `x [frames, height, width, channels]` */
export function encode(
  config: CnnConfig,
  own: BackboneAttention | null,
  tree: ParameterTree,
  x: Tensor,
  mode: Mode,
): Encoded {
  const updates: Record<string, Tensor> = {};
  const encoded = own
    ? attendedAt(own, config, tree as unknown as Attended, x, mode, updates)
    : plain(config, tree as unknown as Plain, x, mode, updates);
  return { ...encoded, updates };
}

function plain(
  config: CnnConfig,
  parameters: Plain,
  x: Tensor,
  mode: Mode,
  updates: Record<string, Tensor>,
): Encoded {
  let h = x;
  for (let i = 0; i < config.widths.length; i++) h = block(parameters[`block${i}`], h, i, mode, updates);
  const { logits, score } = elementAttention.apply(parameters.attention, h);
  const [frames, height, width] = logits.shape;
  const pooled = mean(h, [1, 2]); // [frames, last width]
  const dropped = dropout.apply({ rate: config.dropout }, pooled, mode);
  const auxiliary = reshape(score, [frames]);
  const evidence = add(reshape(linear.apply(parameters.output, dropped), [frames]), auxiliary);
  const features = concat([reshape(evidence, [frames, 1]), dropped], 1);
  return { evidence, features, map: reshape(logits, [frames, height, width]), auxiliary: [auxiliary] };
}

function attendedAt(
  own: BackboneAttention,
  { widths }: CnnConfig,
  parameters: Attended,
  x: Tensor,
  mode: Mode,
  updates: Record<string, Tensor>,
): Encoded {
  const found: Tensor[] = [];
  let h = x;
  for (let i = 0; i < widths.length; i++) {
    h = block(parameters[`block${i}`], h, i, mode, updates);
    const tap = own.blocks.indexOf(i);
    if (tap < 0) continue;
    found.push(h);
    if (i < widths.length - 1) h = own.module.onward(parameters.attention, tap, h);
  }
  return own.encoded(parameters.attention, found, mode);
}

/** Convolution (stride 2 in all blocks but the first), norm, relu, channel gate where it has one. */
function block(
  { conv, norm, gate }: Block,
  x: Tensor,
  i: number,
  mode: Mode,
  updates: Record<string, Tensor>,
): Tensor {
  const convolved = (kernel: conv2d.Parameters, from: Tensor) =>
    conv2d.apply(kernel, { x: from, strides: i === 0 ? 1 : 2 }); // [frames, h / 2, w / 2, widths[i]]
  const active = (own: squeezeExcite.Parameters | undefined, h: Tensor) =>
    own ? squeezeExcite.apply(own, relu(h)).y : relu(h);
  if (!norm) {
    const parameters: Block = gate ? { conv, gate } : { conv };
    return segment(mode, parameters, x, (own, from) => active(own.gate, convolved(own.conv, from)));
  }
  const { y, update } = batchNorm.apply(norm, convolved(conv, x), mode);
  for (const [name, value] of Object.entries(update ?? {})) updates[`block${i}/norm/${name}`] = value;
  return active(gate, y);
}
