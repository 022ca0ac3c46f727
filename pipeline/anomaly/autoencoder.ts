/**
 * Sequence autoencoder over frame features: a recurrent encoder reads the window, a few numbers are kept, a recurrent
 * decoder writes the window backwards with teacher forcing (Srivastava et al. 2015). The last frame comes first, from
 * the kept numbers alone. Gaussian likelihood with one learned scale a feature.
 */
import type { AnomalyConfig } from '../../schemas/config/index.js';
import { gru, linear, lstm, type Mode } from '../nn/index.js';
import type { Random } from '../random.js';
import {
  clip,
  concat,
  expandDims,
  greater,
  mul,
  type ParameterTree,
  reverse,
  slice,
  sum,
  type Tensor,
  tanh,
  tensor,
  where,
  zeros,
  zerosLike,
} from '../tensor/index.js';
import { gaussianNll } from './likelihood.js';

type Cell = { kernel: Tensor; recurrent: Tensor; bias: Tensor };
type Affine = { kernel: Tensor; bias?: Tensor };
type Parameters = {
  encoder: Cell;
  latent: Affine;
  start: Affine;
  decoder: Cell;
  mean: Affine;
  logScale: Tensor;
};

export interface WindowBatch {
  /** `[batch, time, feature]`, in order of time; padding (leading) may hold anything. */
  x: Tensor;
  /** `[batch, time]`, 1 for frames that are there. */
  mask: Tensor;
}

export interface Autoencoder {
  init(random: Random): ParameterTree;
  /** Nats of every frame `[batch, time]` in order of time; 0 where the mask is 0. */
  nll(parameters: ParameterTree, batch: WindowBatch, mode: Mode): Tensor;
  /** Decoded features `[batch, time, feature]`, in order of time. */
  decode(parameters: ParameterTree, batch: WindowBatch, mode: Mode): Tensor;
}

/** Share of teacher inputs that are hidden in training, so that the kept numbers must carry the window. */
const TOKEN_DROPOUT = 0.3;
/** Limits of the log of the learned scale; below them a frame learned by heart would outweigh all others. */
const LOG_SCALE = [-3, 3] as const;

export function autoencoder(
  { cell, units, latent }: Pick<AnomalyConfig, 'cell' | 'units' | 'latent'>,
  features: number,
): Autoencoder {
  const recurrent = cell === 'gru' ? gruCell : lstmCell;
  const decodeBackwards = (tree: ParameterTree, window: WindowBatch, mode: Mode): Tensor => {
    const p = tree as unknown as Parameters;
    const { mask } = window;
    const [batch, time] = mask.shape;
    const present = presentOnly(window);
    const kept = linear.apply(p.latent, recurrent(p.encoder, present, mask, null).state); // [batch, latent]
    const state = tanh(linear.apply(p.start, kept)); // [batch, units]
    const target = reverse(present, 1);
    const teacher =
      time === 1
        ? zeros([batch, 1, features])
        : concat([zeros([batch, 1, features]), slice(target, [0, 0, 0], [batch, time - 1, features])], 1);
    const shown = mode.training && mode.random ? mul(teacher, tokenMask(mode.random, batch, time)) : teacher;
    const { y } = recurrent(p.decoder, shown, reverse(mask, 1), state);
    return linear.apply(p.mean, y); // [batch, time, feature], last frame first
  };
  return {
    init: (random) => ({
      encoder: cellInit(cell, features, units, random.key('encoder')),
      latent: linear.init({ in: units, out: latent }, random.key('latent')) as ParameterTree,
      start: linear.init({ in: latent, out: units }, random.key('start')) as ParameterTree,
      decoder: cellInit(cell, features, units, random.key('decoder')),
      mean: linear.init({ in: units, out: features }, random.key('mean')) as ParameterTree,
      logScale: zeros([features]),
    }),
    nll(tree, batch, mode) {
      const mean = reverse(decodeBackwards(tree, batch, mode), 1);
      const logScale = clip((tree as unknown as Parameters).logScale, ...LOG_SCALE);
      return mul(gaussianNll(presentOnly(batch), mean, logScale), batch.mask);
    },
    decode: (tree, batch, mode) => reverse(decodeBackwards(tree, batch, mode), 1),
  };
}

/** Mean nats a feature over the frames that are there. */
export function windowLoss(nll: Tensor, { x }: WindowBatch, frames: number): Tensor {
  return mul(sum(nll), 1 / Math.max(1, frames * x.shape[x.rank - 1]));
}

/** `[batch, time]` -> `[batch, time, 1]` */
const expand = (mask: Tensor): Tensor => expandDims(mask, -1);

/** Zeros where the mask is 0, whatever was there, NaN too. */
const presentOnly = ({ x, mask }: WindowBatch): Tensor => where(greater(expand(mask), 0), x, zerosLike(x));

function tokenMask(random: Random, batch: number, time: number): Tensor {
  const values = Float32Array.from({ length: batch * time }, () => Number(random.uniform() >= TOKEN_DROPOUT));
  return tensor(values, [batch, time, 1]);
}

function cellInit(cell: AnomalyConfig['cell'], from: number, units: number, random: Random): ParameterTree {
  return (cell === 'gru' ? gru : lstm).init({ in: from, units }, random);
}

interface Run {
  y: Tensor;
  state: Tensor;
}

const gruCell = (p: Cell, x: Tensor, mask: Tensor, state: Tensor | null): Run =>
  gru.apply(p, { x, mask, state });

function lstmCell(p: Cell, x: Tensor, mask: Tensor, h: Tensor | null): Run {
  const { y, state } = lstm.apply(p, { x, mask, state: h && { h, c: zeros(h.shape) } });
  return { y, state: state.h };
}
