import type { ModelConfig } from '../../schemas/config/index.js';
import type { ParameterTree } from '../tensor/index.js';
import * as cnn from './cnn.js';
import * as deep from './deep.js';
import * as evidence from './evidence.js';
import * as head from './head.js';
import type { Encoded, Model, ModelShape } from './model.js';

/** A head without parameters leaves no trace in a stored tree. */
type Parts = { encoder: ParameterTree; head?: ParameterTree };
type Encoder = Omit<Model, 'config' | 'shape' | 'stateSize' | 'causal' | 'init' | 'head'> & {
  init: (random: Parameters<Model['init']>[0], logit: number) => ParameterTree;
};

/**
 * The model that `config` describes, for frames of `shape`. It holds no weights: `init` makes them.
 * @throws ConfigError for a margin or a depth that leaves no map, and for taps that are not there.
 */
export function buildModel(config: ModelConfig, shape: ModelShape): Model {
  const { init, ...encoder } = encoderOf(config.encoder, shape);
  const temporal = head.build(config.head, { features: encoder.featureCount, season: shape.season });
  return {
    ...encoder,
    config,
    shape,
    stateSize: temporal.stateSize,
    causal: temporal.causal,
    init: (random, { logit = 0 } = {}) => ({
      encoder: init(random.key('encoder'), logit),
      head: temporal.init(random.key('head')),
    }),
    encode: (parameters, x, mode) => {
      const encoded = encoder.encode((parameters as Parts).encoder, x, mode);
      return encoded.updates ? { ...encoded, updates: prefixed(encoded.updates) } : encoded;
    },
    head: (parameters, inputs) => temporal.apply((parameters as Parts).head ?? {}, inputs),
  };
}

/** What each kind of encoder brings; `encode` here takes the encoder's own parameters. */
function encoderOf(config: ModelConfig['encoder'], shape: ModelShape): Encoder {
  if (config.kind === 'evidence')
    return {
      featureCount: evidence.featureCount,
      floatsPerCell: Math.max(shape.channels, ...config.widths),
      mapGrid: evidence.mapGrid(config, shape),
      ...{ auxiliary: 0, looks: true, taps: [], weighsTaps: false, batchMoments: false },
      isFrozen: () => false,
      inputKernel: 'encoder/conv0/kernel',
      init: (random, logit) => evidence.init(config, shape, random, logit),
      encode: (parameters, x, mode) => evidence.encode(config, parameters, x, mode),
    };
  if (config.kind === 'cnn')
    return {
      featureCount: cnn.featureCount(config),
      floatsPerCell: Math.max(shape.channels, ...config.widths),
      mapGrid: cnn.mapGrid(config, shape),
      looks: cnn.looks(config),
      taps: cnn.taps(config, shape),
      weighsTaps: cnn.weighsTaps(config),
      batchMoments: config.norm === 'batch',
      auxiliary: cnn.looks(config) ? config.auxiliary : 0,
      isFrozen: () => false,
      inputKernel: 'encoder/block0/conv/kernel',
      init: (random, logit) => cnn.init(config, shape, random, logit),
      encode: (parameters, x, mode) => cnn.encode(config, shape, parameters, x, mode),
    };
  return {
    featureCount: deep.featureCount(config),
    floatsPerCell: deep.floatsPerCell(config, shape),
    mapGrid: deep.mapGrid(config, shape),
    looks: deep.looks(config),
    taps: deep.taps(config, shape),
    weighsTaps: deep.weighsTaps(config),
    batchMoments: deep.batchMoments(config),
    auxiliary: deep.looks(config) ? config.auxiliary : 0,
    isFrozen: (name) => deep.isFrozen(config, name),
    inputKernel: 'encoder/backbone/stem/conv/kernel',
    init: (random, logit) => deep.init(config, shape, random, logit),
    encode: (parameters, x, mode): Encoded => deep.encode(config, shape, parameters, x, mode),
  };
}

const prefixed = <T>(named: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(named).map(([name, value]) => [`encoder/${name}`, value]));
