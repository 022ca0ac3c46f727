/**
 * Fully convolutional evidence map for small data: convolutions without pooling or norm, one map m of evidence,
 *   l = logsumexp(m) - log(cells), evidence z = g l + b; softmax(m) is the heat map.
 * One storm anywhere is enough, and a deep low counts for more than a shallow one: nothing erases amplitude.
 */
import type { EvidenceConfig } from '../../schemas/config/index.js';
import { ConfigError } from '../errors.js';
import { conv2d, dropout, type Mode, segment } from '../nn/index.js';
import type { Random } from '../random.js';
import {
  add,
  fill,
  logSumExp,
  mul,
  ones,
  type ParameterTree,
  relu,
  reshape,
  slice,
  stack,
  sub,
  type Tensor,
  zeros,
} from '../tensor/index.js';
import type { Encoded, MapGrid, ModelShape } from './model.js';

type Parameters = {
  [conv: `conv${number}`]: conv2d.Parameters;
  map: conv2d.Parameters;
  gain: Tensor;
  bias: Tensor;
  cellBias?: Tensor;
};

/** Evidence, and half the log-mean-exp for the recurrent head. */
export const featureCount = 2;

/** @throws ConfigError when the margin leaves no cell. */
export function mapGrid({ margin }: EvidenceConfig, { height, width }: ModelShape): MapGrid {
  if (2 * margin >= Math.min(height, width))
    throw new ConfigError(
      `cannot build the model: a margin of ${margin} cells leaves nothing of maps of ${height} x ${width} cells`,
      { hint: 'lower model.encoder.margin', fields: { margin, height, width } },
    );
  return { height: height - 2 * margin, width: width - 2 * margin, margin, stride: 1 };
}

export function init(
  config: EvidenceConfig,
  shape: ModelShape,
  random: Random,
  logit: number,
): ParameterTree {
  const grid = mapGrid(config, shape);
  const parameters: Record<string, unknown> = {};
  config.widths.forEach((out, i) => {
    const from = i === 0 ? shape.channels : config.widths[i - 1];
    parameters[`conv${i}`] = conv2d.init({ in: from, out }, random.key(`conv${i}`));
  });
  const last = config.widths.at(-1)!;
  parameters.map = conv2d.init({ in: last, out: 1, size: 1, start: 'glorot' }, random.key('map'));
  if (config.cellBias) parameters.cellBias = zeros([grid.height, grid.width]);
  parameters.gain = ones([1]);
  parameters.bias = fill([1], logit);
  return parameters as ParameterTree;
}

/** `x [frames, height, width, channels]` */
export function encode(config: EvidenceConfig, tree: ParameterTree, x: Tensor, mode: Mode): Encoded {
  const parameters = tree as unknown as Parameters;
  const map = evidenceMap(config, parameters, x, mode); // [frames, map height, map width]
  const [frames, height, width] = map.shape;
  const cells = height * width;
  const level = sub(logSumExp(reshape(map, [frames, cells]), 1), Math.log(cells)); // [frames]
  const evidence = add(mul(level, parameters.gain), parameters.bias);
  return { evidence, features: stack([evidence, mul(level, 0.5)], 1), map };
}

/**
 * With a margin at least as wide as the convolutions reach, the inner cells never see the frame's border: the
 * frame is cut to what they do see and convolved without padding, which gives the same numbers for less work.
 */
function evidenceMap(config: EvidenceConfig, parameters: Parameters, x: Tensor, mode: Mode): Tensor {
  const { widths, margin, dropout: rate, dropoutBy: by } = config;
  const inside = margin >= widths.length;
  let h = inside ? crop(x, margin - widths.length) : x;
  for (let i = 0; i < widths.length; i++) {
    const padding = inside ? 'valid' : 'same';
    const y = segment(mode, parameters[`conv${i}`], h, (own, x) => relu(conv2d.apply(own, { x, padding })));
    h = dropout.apply({ rate, by }, y, mode); // [frames, h, w, widths[i]]
  }
  const full = conv2d.apply(parameters.map, { x: h });
  const inner = inside ? full : crop(full, margin); // [frames, map height, map width, 1]
  const map = reshape(inner, inner.shape.slice(0, 3));
  return parameters.cellBias ? add(map, parameters.cellBias) : map;
}

/** Columns and channels as one axis, so that whole runs are copied. */
function crop(x: Tensor, edge: number): Tensor {
  if (edge === 0) return x;
  const [frames, height, width, channels] = x.shape;
  const [rows, columns] = [height - 2 * edge, width - 2 * edge];
  const flat = reshape(x, [frames, height, width * channels]);
  const inner = slice(flat, [0, edge, edge * channels], [frames, rows, columns * channels]);
  return reshape(inner, [frames, rows, columns, channels]);
}
