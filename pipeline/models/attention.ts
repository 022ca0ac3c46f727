/**
 * Triple attention as an encoder uses it: which blocks of a backbone are tapped, on which grid the map lies, what is handed
 * on. Any backbone that gives its blocks' outputs can carry it.
 *
 *   const attention = attentionOver(config, [{ channels: 16, height: 64, width: 64, stride: 1 }, ...]);
 *   const parameters = attention.module.init(random);
 *   attention.encoded(parameters, taps, mode);
 */
import type { AttentionConfig, CnnConfig } from '../../schemas/config/index.js';
import { ConfigError } from '../errors.js';
import { type Mode, tripleAttention } from '../nn/index.js';
import { add, concat, log, reshape, type Tensor } from '../tensor/index.js';
import type { Encoded, MapGrid, ModelTap } from './model.js';

/** Output of one block of a backbone. */
export interface BlockShape {
  channels: number;
  height: number;
  width: number;
  /** Cells of the frame from one cell of the map to the next. */
  stride: number;
}

export interface BackboneAttention {
  readonly module: tripleAttention.TripleAttention;
  /** Number of each tap's block, ascending. */
  readonly blocks: readonly number[];
  readonly taps: readonly ModelTap[];
  readonly mapGrid: MapGrid;
  /** Evidence and the pooled maps of the last block. */
  readonly featureCount: number;
  /** False for a plain network: no map, no auxiliary score. */
  readonly looks: boolean;
  /** `taps`: outputs of `blocks`, ungated. */
  encoded(parameters: tripleAttention.Parameters, taps: readonly Tensor[], mode: Mode): Encoded;
}

type Settings = Pick<CnnConfig, 'reduction' | 'attentionWidth' | 'dropout'> & { attention: AttentionConfig };

/** Taps without a word in the config. */
const DEFAULT_TAPS = 3;

/** @throws ConfigError for taps that the backbone does not have, and for taps of one cell. */
export function attentionOver(
  { attention, reduction, attentionWidth, dropout }: Settings,
  shapes: readonly BlockShape[],
): BackboneAttention {
  const last = shapes.length - 1;
  const blocks = attention.taps ?? [...shapes.keys()].slice(-DEFAULT_TAPS);
  refuseTaps(blocks, last);
  const looks = attention.modules.includes('element');
  if (looks) refuseOneCell(blocks, shapes);
  const { taps: _, grid, ...form } = attention;
  const module = tripleAttention.build({
    ...form,
    ...(grid === undefined ? {} : { grid: tapOf(grid, blocks) }),
    channels: blocks.map((block) => shapes[block].channels),
    reduction,
    width: attentionWidth,
    dropout,
  });
  const { height, width, stride } = shapes[blocks[module.grid]];
  return {
    module,
    blocks,
    taps: looks ? blocks.map((b) => ({ name: `block${b}`, ...pick(shapes[b]) })) : [],
    mapGrid: { height, width, margin: 0, stride },
    featureCount: 1 + shapes[last].channels,
    looks,
    encoded: (parameters, taps, mode) => encoded(module.apply(parameters, taps, mode)),
  };
}

const pick = ({ height, width }: BlockShape) => ({ height, width });

/** Smallest share of a cell in the logarithm. */
const TINY = 1e-12;

function encoded({ logits, pooled, scores, attention, weights, looked }: tripleAttention.Attended): Encoded {
  const [frames] = logits.shape;
  const flat = (map: Tensor) => reshape(map, map.shape.slice(0, 3)); // one class: its axis goes
  return {
    evidence: reshape(logits, [frames]),
    features: concat([logits, pooled], 1),
    map: looked && log(add(flat(looked), TINY)),
    ...(scores.length > 0 && {
      auxiliary: scores.map((score) => reshape(score, [frames])),
      looks: attention.map(flat),
      scale: weights && reshape(weights, [frames, -1]),
    }),
  };
}

function refuseTaps(taps: readonly number[], last: number): void {
  const ascending = taps.every((tap, i) => i === 0 || tap > taps[i - 1]);
  if (ascending && taps.at(-1) === last) return;
  throw new ConfigError(
    `cannot attend to blocks [${taps.join(', ')}]: they must ascend and end with the last block, ${last}, which the output reads`,
    {
      hint: `set attention.taps to blocks from 0 to ${last}, e.g. [${[...new Set([0, last])].join(', ')}]`,
      fields: { taps, last },
    },
  );
}

/** Over one location attention is the constant 1. */
function refuseOneCell(blocks: readonly number[], shapes: readonly BlockShape[]): void {
  const single = blocks.filter((block) => shapes[block].height * shapes[block].width === 1);
  if (single.length === 0) return;
  throw new ConfigError(
    `cannot attend to block ${single.join(', ')}: its map has one cell, where attention is the constant 1`,
    {
      hint: 'give model.encoder fewer blocks, or ingest larger maps',
      fields: { taps: single },
    },
  );
}

function tapOf(block: number, blocks: readonly number[]): number {
  const tap = blocks.indexOf(block);
  if (tap >= 0) return tap;
  throw new ConfigError(
    `cannot put maps on the grid of block ${block}: it is not among the taps [${blocks.join(', ')}]`,
    {
      hint: 'set attention.grid to one of attention.taps',
      fields: { grid: block, taps: blocks },
    },
  );
}
