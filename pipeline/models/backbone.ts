/**
 * A deep backbone as a row of stages, each with the map at its end (a tap). Stages may be frozen: they then use stored
 * moments, and what comes before the first stage that learns is no part of the record that gradients are made from.
 */
import type { DeepConfig } from '../../schemas/config/index.js';
import { batchNorm, EVALUATION, type Mode, segment } from '../nn/index.js';
import type { Random } from '../random.js';
import { type ParameterTree, type Tensor, tidy, withoutTape } from '../tensor/index.js';

/** One stage; `apply` gives what the next one reads, and the map that attention may sit on. */
export interface Stage {
  /** Key in the parameters and word in `freeze`. */
  name: string;
  init(channels: number, random: Random): ParameterTree;
  apply(parameters: ParameterTree, x: Tensor, norms: Norms): { next: Tensor; tap: Tensor | null };
  /** Channels of `next`. */
  channels: number;
  /** Channels of the tap; null where there is none. */
  tapChannels: number | null;
  /** Rows or columns of the tap, or of `next` where there is none, from those of `x`. */
  tapSize(size: number): number;
  /** Rows or columns of `next`, from those of `x`. */
  size(size: number): number;
}

/** Batch norms of one run: applies them and collects new moments by leaf name below the backbone. */
export interface Norms {
  /** `path` is the norm's place in the parameters. */
  apply(parameters: batchNorm.Parameters, x: Tensor, path: string): Tensor;
  /** `work(parameters, x, norms)`; all that it makes is freed but its result and the new moments. */
  scoped<P>(parameters: P, x: Tensor, work: (parameters: P, x: Tensor, norms: Norms) => Tensor): Tensor;
  readonly updates: Record<string, Tensor>;
}

interface NormOptions {
  mode: Mode;
  /** Stored moments in training too. */
  fixed: boolean;
  epsilon: number;
  prefix: string;
}

function norms(options: NormOptions): Norms {
  const { mode, fixed, epsilon, prefix } = options;
  const updates: Record<string, Tensor> = {};
  return {
    updates,
    apply(parameters, x, path) {
      const { y, update } = batchNorm.apply(parameters, x, fixed ? EVALUATION : mode, { epsilon });
      for (const [name, value] of Object.entries(update ?? {})) updates[`${prefix}${path}/${name}`] = value;
      return y;
    },
    scoped(parameters, x, work) {
      if (fixed) return segment(mode, parameters, x, (own, from) => work(own, from, norms(options)));
      const done = tidy(() => {
        const inner = norms(options);
        return { y: work(parameters, x, inner), updates: inner.updates };
      });
      Object.assign(updates, done.updates);
      return done.y;
    },
  };
}

export function initBackbone(stages: readonly Stage[], channels: number, random: Random): ParameterTree {
  const parameters: Record<string, ParameterTree> = {};
  let from = channels;
  for (const stage of stages) {
    parameters[stage.name] = stage.init(from, random.key(stage.name));
    from = stage.channels;
  }
  return parameters;
}

export interface BackboneInput {
  stages: readonly Stage[];
  config: Pick<DeepConfig, 'norm' | 'freeze'>;
  /** Added to every variance. */
  epsilon: number;
}

/** Taps `[frames, h, w, channels]`, front to back, and new moments by leaf name below the backbone. */
export function applyBackbone(
  { stages, config, epsilon }: BackboneInput,
  tree: ParameterTree,
  x: Tensor,
  mode: Mode,
): { taps: Tensor[]; updates: Record<string, Tensor> } {
  const parameters = tree as Record<string, ParameterTree>;
  const taps: Tensor[] = [];
  const updates: Record<string, Tensor> = {};
  let h = x;
  let learned = false;
  for (const stage of stages) {
    const frozen = config.freeze.some((name) => name === stage.name);
    learned ||= !frozen;
    const fixed = frozen || config.norm === 'fixed';
    const own = norms({ mode, fixed, epsilon, prefix: `${stage.name}/` });
    const run = () => stage.apply(parameters[stage.name], h, own);
    const { next, tap } = learned ? run() : withoutTape(run);
    h = next;
    if (tap) taps.push(tap);
    Object.assign(updates, own.updates);
  }
  return { taps, updates };
}
