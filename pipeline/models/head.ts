/**
 * Temporal head: z_t = evidence_t + w . season_t + v . R(features, season)_t, R a GRU, an LSTM or temporal convolutions.
 * Both added terms start at zero, so training begins from what the frames alone say. Causal unless it is bidirectional.
 */
import type { HeadConfig } from '../../schemas/config/index.js';
import { linear } from '../nn/index.js';
import type { Random } from '../random.js';
import { add, concat, type ParameterTree, slice, type Tensor } from '../tensor/index.js';
import type { HeadInputs } from './model.js';
import { type Temporal, temporal } from './temporal.js';

export interface Sizes {
  /** Features of a frame, the evidence included. */
  features: number;
  season: number;
}

export interface Head {
  /** 0 without memory. */
  readonly stateSize: number;
  readonly causal: boolean;
  init(random: Random): ParameterTree;
  /** `logits [batch, time, 1]`; the state is null for a head without one, or that reads both ways. */
  apply(tree: ParameterTree, inputs: HeadInputs): { logits: Tensor; state: Tensor | null };
}

/** Weights of the sequence reader lie under the name of its kind. */
export function build(config: HeadConfig, { features, season }: Sizes): Head {
  const reader = temporal(config, features - 1 + season);
  return {
    stateSize: reader?.stateSize ?? 0,
    causal: reader?.causal ?? true,
    init: (random) => {
      const parameters: Record<string, ParameterTree> = {};
      if (season > 0)
        parameters.season = linear.init({ in: season, out: 1, bias: false, start: 'zero' }, random);
      if (!reader) return parameters;
      parameters[config.kind] = reader.init(random.key(config.kind));
      parameters.output = linear.init({ in: reader.size, out: 1, bias: false, start: 'zero' }, random);
      return parameters;
    },
    apply: (tree, inputs) => apply(tree as Record<string, ParameterTree>, reader, config.kind, inputs),
  };
}

/** In words: `GRU`, `LSTM both ways`, `each frame alone`. */
export function headWords(config: HeadConfig): string {
  if (config.kind === 'none') return 'each frame alone';
  const both = 'bidirectional' in config && config.bidirectional;
  return `${config.kind.toUpperCase()}${both ? ' both ways' : ''}`;
}

function apply(
  parameters: Record<string, ParameterTree>,
  reader: Temporal | null,
  kind: HeadConfig['kind'],
  { features, season, valid, state }: HeadInputs,
): { logits: Tensor; state: Tensor | null } {
  const [batch, time, count] = features.shape;
  const layer = (name: string) => parameters[name] as linear.Parameters;
  let logits = slice(features, [0, 0, 0], [batch, time, 1]);
  if (parameters.season && season) logits = add(logits, linear.apply(layer('season'), season));
  if (!reader) return { logits, state: null };
  const inner = slice(features, [0, 0, 1], [batch, time, count - 1]);
  const x = season ? concat([inner, season], 2) : inner; // [batch, time, features - 1 + season]
  const run = reader.apply(parameters[kind], { x, mask: valid, state });
  return { logits: add(logits, linear.apply(layer('output'), run.y)), state: run.state };
}
