/** What reads a sequence of frames: GRU, LSTM or temporal convolutions, one interface with the state in one row. */
import type { HeadConfig } from '../../schemas/config/index.js';
import { gru, lstm, tcn } from '../nn/index.js';
import type { Random } from '../random.js';
import { concat, type ParameterTree, slice, type Tensor } from '../tensor/index.js';

export interface Sequence {
  /** `[batch, time, in]` */
  x: Tensor;
  /** `[batch, time]` of 0 and 1, which leave the state as it is; null: all valid. */
  mask: Tensor | null;
  /** `[batch, stateSize]`; null starts from zero. */
  state: Tensor | null;
}

export interface Temporal {
  /** Numbers of `y` for each step. */
  readonly size: number;
  /** Numbers of the state. */
  readonly stateSize: number;
  readonly causal: boolean;
  init(random: Random): ParameterTree;
  /** `y [batch, time, size]`; the state after the last step `[batch, stateSize]`, null where it reads both ways. */
  apply(parameters: ParameterTree, sequence: Sequence): { y: Tensor; state: Tensor | null };
}

/** Null for a head without memory. `from`: numbers of a step. */
export function temporal(config: HeadConfig, from: number): Temporal | null {
  switch (config.kind) {
    case 'none':
      return null;
    case 'tcn':
      return tcnOver(config, from);
    default:
      return config.bidirectional ? bothWays(recurrent(config, from)) : oneWay(recurrent(config, from));
  }
}

type Of<Kind> = Extract<HeadConfig, { kind: Kind }>;

interface Recurrent {
  units: number;
  stateSize: number;
  init(random: Random): ParameterTree;
  run(parameters: ParameterTree, sequence: Sequence & { backwards: boolean }): { y: Tensor; state: Tensor };
}

function recurrent(config: Of<'gru'> | Of<'lstm'>, from: number): Recurrent {
  const { units } = config;
  if (config.kind === 'gru')
    return {
      units,
      stateSize: units,
      init: (random) => gru.init({ in: from, units, reset: config.reset }, random),
      run: (parameters, sequence) => gru.apply(parameters as gru.Parameters, sequence),
    };
  return {
    units,
    stateSize: 2 * units, // h, then c
    init: (random) => lstm.init({ in: from, units, forgetBias: config.forgetBias }, random),
    run: (parameters, { state: row, ...sequence }) => {
      const part = (k: number) => slice(row!, [0, k * units], [row!.shape[0], units]);
      const state = row && { h: part(0), c: part(1) };
      const { y, state: last } = lstm.apply(parameters as lstm.Parameters, { ...sequence, state });
      return { y, state: concat([last.h, last.c], 1) };
    },
  };
}

function oneWay({ units, stateSize, init, run }: Recurrent): Temporal {
  return {
    size: units,
    stateSize,
    causal: true,
    init,
    apply: (parameters, sequence) => run(parameters, { ...sequence, backwards: false }),
  };
}

/** Two sets of weights, one for each direction; their outputs lie side by side. */
function bothWays({ units, stateSize, init, run }: Recurrent): Temporal {
  return {
    size: 2 * units,
    stateSize,
    causal: false,
    init: (random) => ({ forwards: init(random.key('forwards')), backwards: init(random.key('backwards')) }),
    apply: (tree, { x, mask }) => {
      const { forwards, backwards } = tree as { forwards: ParameterTree; backwards: ParameterTree };
      const sequence = { x, mask, state: null };
      const first = run(forwards, { ...sequence, backwards: false });
      const second = run(backwards, { ...sequence, backwards: true });
      return { y: concat([first.y, second.y], 2), state: null };
    },
  };
}

function tcnOver(config: Of<'tcn'>, from: number): Temporal {
  return {
    size: config.units,
    stateSize: tcn.stateSize(config),
    causal: true,
    init: (random) =>
      tcn.init({ in: from, units: config.units, kernel: config.kernel, dilations: config.dilations }, random),
    apply: (parameters, sequence) => tcn.apply(parameters as tcn.Parameters, config, sequence),
  };
}
