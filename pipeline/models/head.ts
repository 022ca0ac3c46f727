/**
 * Temporal head, causal: z_t = evidence_t + w . season_t + v . GRU(features, season)_t.
 * Both added terms start at zero, so training begins from what the frames alone say.
 */
import type { HeadConfig } from '../../schemas/config/index.js';
import { gru, linear } from '../nn/index.js';
import type { Random } from '../random.js';
import { add, concat, type ParameterTree, slice, type Tensor } from '../tensor/index.js';
import type { HeadInputs } from './model.js';

type Parameters = { season?: linear.Parameters; gru?: gru.Parameters; output?: linear.Parameters };
export interface Sizes {
  /** Features of a frame, the evidence included. */
  features: number;
  season: number;
}

export function init(config: HeadConfig, { features, season }: Sizes, random: Random): ParameterTree {
  const parameters: Parameters = {};
  if (season > 0) parameters.season = linear.init({ in: season, out: 1, bias: false, start: 'zero' }, random);
  if (config.kind === 'gru') {
    parameters.gru = gru.init({ in: features - 1 + season, units: config.units }, random.key('gru'));
    parameters.output = linear.init({ in: config.units, out: 1, bias: false, start: 'zero' }, random);
  }
  return parameters as ParameterTree;
}

/** `logits [batch, time, 1]`; the state is null for a head without one. */
export function apply(
  tree: ParameterTree,
  { features, season, valid, state }: HeadInputs,
): { logits: Tensor; state: Tensor | null } {
  const parameters = tree as unknown as Parameters;
  const [batch, time, count] = features.shape;
  let logits = slice(features, [0, 0, 0], [batch, time, 1]);
  if (parameters.season && season) logits = add(logits, linear.apply(parameters.season, season));
  if (!parameters.gru || !parameters.output) return { logits, state: null };
  const inner = slice(features, [0, 0, 1], [batch, time, count - 1]);
  const x = season ? concat([inner, season], 2) : inner; // [batch, time, features - 1 + season]
  const run = gru.apply(parameters.gru, { x, mask: valid, state });
  return { logits: add(logits, linear.apply(parameters.output, run.y)), state: run.state };
}
