/**
 * A deep backbone, and on its last map what the small `cnn` has: channel gate, element attention with its auxiliary score
 * (Wang et al. 2021). evidence = FC(GAP(Xc)) + score(Xc), auxiliary = score(Xc).
 */
import { BACKBONE_PARTS, type DeepConfig } from '../../schemas/config/index.js';
import { ConfigError } from '../errors.js';
import {
  dropout,
  elementAttention,
  linear,
  type Mode,
  squeezeExcite,
  type tripleAttention,
} from '../nn/index.js';
import type { Random } from '../random.js';
import { add, concat, mean, type ParameterTree, reshape, type Tensor } from '../tensor/index.js';
import { attentionOver, type BackboneAttention, type BlockShape } from './attention.js';
import { applyBackbone, type BackboneInput, initBackbone } from './backbone.js';
import * as densenet from './densenet/index.js';
import type { Encoded, MapGrid, ModelShape } from './model.js';
import * as resnet from './resnet/index.js';

type Attended = { backbone: ParameterTree; attention: tripleAttention.Parameters };
type Plain = {
  backbone: ParameterTree;
  gate: squeezeExcite.Parameters;
  attention: elementAttention.Parameters;
  output: linear.Parameters;
};

/** Edge of a map that no rounding touches on its way through a backbone. */
const LARGE = 2 ** 20;

/** The stages of a backbone and the small number in its norms. */
function backboneOf(config: DeepConfig): BackboneInput {
  return config.kind === 'densenet121'
    ? { stages: densenet.stages, epsilon: densenet.EPSILON, config }
    : { stages: resnet.stages(config), epsilon: resnet.EPSILON, config };
}

const width = (config: DeepConfig): number => backboneOf(config).stages.at(-1)!.channels;

/** Evidence and the pooled maps of the last block. */
export const featureCount = (config: DeepConfig): number => 1 + width(config);

/** Taps, front to back. Sizes are rounded on the way; the stride is that of maps that no rounding touches. */
function blockShapes(config: DeepConfig, shape: ModelShape): BlockShape[] {
  let [height, width, large] = [shape.height, shape.width, LARGE];
  return backboneOf(config).stages.flatMap((stage) => {
    const tap = {
      height: stage.tapSize(height),
      width: stage.tapSize(width),
      stride: LARGE / stage.tapSize(large),
    };
    [height, width, large] = [stage.size(height), stage.size(width), stage.size(large)];
    return stage.tapChannels === null ? [] : [{ channels: stage.tapChannels, ...tap }];
  });
}

/**
 * Null where the config says nothing of attention.
 * @throws ConfigError for taps that are not there, and for gates that would change what pretrained blocks read.
 */
export function attentionOf(config: DeepConfig, shape: ModelShape): BackboneAttention | null {
  const { attention } = config;
  if (!attention) return null;
  if (attention.gate === 'inline')
    throw new ConfigError(
      `model.encoder.attention.gate: inline is not for ${config.kind}: its blocks read one another ungated`,
      {
        hint: 'set gate: branch, which leaves the numbers of pretrained weights as they are',
        fields: { kind: config.kind, gate: attention.gate },
      },
    );
  return attentionOver({ ...config, attention }, blockShapes(config, shape));
}

/** @throws ConfigError for maps that shrink to a single cell, where attention is the constant 1. */
export function mapGrid(config: DeepConfig, shape: ModelShape): MapGrid {
  const { height, width, stride } = blockShapes(config, shape).at(-1)!;
  if (height * width <= 1)
    throw new ConfigError(
      `cannot build the model: ${config.kind} shrinks ${shape.height} x ${shape.width} cells to ${height} x ${width}, where attention is the constant 1`,
      {
        hint: `take a smaller encoder (model.encoder.kind: cnn), or maps of ${2 * stride} cells a side and more`,
        fields: { kind: config.kind, stride, height, width },
      },
    );
  return { height, width, margin: 0, stride };
}

/** Input, output and two in between of the stage whose map is largest. */
export function floatsPerCell(config: DeepConfig, { channels }: ModelShape): number {
  let [most, size] = [channels, LARGE];
  for (const stage of backboneOf(config).stages) {
    const out = stage.tapChannels ?? stage.channels;
    most = Math.max(most, 4 * out * (stage.tapSize(size) / LARGE) ** 2);
    size = stage.size(size);
  }
  return most;
}

/** Whether norms that learn take their moments from the batch. */
export const batchMoments = ({ norm, freeze }: Pick<DeepConfig, 'norm' | 'freeze'>): boolean =>
  norm === 'batch' && BACKBONE_PARTS.some((part) => !freeze.includes(part));

/** True for leaves of parts that keep their weights; `name` begins at the whole model. */
export const isFrozen = ({ freeze }: Pick<DeepConfig, 'freeze'>, name: string): boolean =>
  freeze.some((part) => name.startsWith(`encoder/backbone/${part}/`));

/** `bands`: channels of the input; `own` as of `attentionOf`. */
export function init(
  config: DeepConfig,
  own: BackboneAttention | null,
  { bands, random, logit }: { bands: number; random: Random; logit: number },
): ParameterTree {
  const { stages } = backboneOf(config);
  const channels = width(config);
  const backbone = initBackbone(stages, bands, random.key('backbone'));
  if (own) {
    const attended: Attended = {
      backbone,
      attention: own.module.init(random.key('attention'), { bias: logit }),
    };
    return attended as unknown as ParameterTree;
  }
  const parameters: Plain = {
    backbone,
    gate: squeezeExcite.init({ channels, reduction: config.reduction }, random.key('gate')),
    attention: elementAttention.init(
      { in: channels, width: config.attentionWidth, bias: logit },
      random.key('attention'),
    ),
    output: linear.init({ in: channels, out: 1, bias: false }, random.key('output')),
  };
  return parameters as unknown as ParameterTree;
}

/** `x [frames, height, width, channels]` */
export function encode(
  config: DeepConfig,
  own: BackboneAttention | null,
  tree: ParameterTree,
  x: Tensor,
  mode: Mode,
): Encoded {
  const parameters = tree as unknown as Attended | Plain;
  const { taps, updates } = applyBackbone(backboneOf(config), parameters.backbone, x, mode);
  const encoded = own
    ? own.encoded(
        (parameters as Attended).attention,
        own.blocks.map((block) => taps[block]),
        mode,
      )
    : plain(config, parameters as Plain, taps.at(-1)!, mode);
  return {
    ...encoded,
    taps,
    updates: Object.fromEntries(Object.entries(updates).map(([name, value]) => [`backbone/${name}`, value])),
  };
}

/** `last [frames, h, w, width]` */
function plain(config: DeepConfig, parameters: Plain, last: Tensor, mode: Mode): Encoded {
  const { y: gated } = squeezeExcite.apply(parameters.gate, last);
  const { logits, score } = elementAttention.apply(parameters.attention, gated);
  const [frames, height, columns] = logits.shape;
  const pooled = mean(gated, [1, 2]); // [frames, width]
  const dropped = dropout.apply({ rate: config.dropout }, pooled, mode);
  const auxiliary = reshape(score, [frames]);
  const evidence = add(reshape(linear.apply(parameters.output, dropped), [frames]), auxiliary);
  return {
    evidence,
    features: concat([reshape(evidence, [frames, 1]), dropped], 1),
    map: reshape(logits, [frames, height, columns]),
    auxiliary: [auxiliary],
  };
}
