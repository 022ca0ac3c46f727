import type { ModelConfig } from '../../schemas/config/index.js';
import type { ParameterTree } from '../tensor/index.js';
import * as cnn from './cnn.js';
import * as evidence from './evidence.js';
import * as head from './head.js';
import type { Model, ModelShape } from './model.js';

/** A head without parameters leaves no trace in a stored tree. */
type Parts = { encoder: ParameterTree; head?: ParameterTree };

/**
 * The model that `config` describes, for frames of `shape`. It holds no weights: `init` makes them.
 * @throws ConfigError for a margin or a depth that leaves no map.
 */
export function buildModel(config: ModelConfig, shape: ModelShape): Model {
  const { encoder } = config;
  const featureCount = encoder.kind === 'cnn' ? cnn.featureCount(encoder) : evidence.featureCount;
  const sizes = { features: featureCount, season: shape.season };
  return {
    config,
    shape,
    featureCount,
    mapGrid: encoder.kind === 'cnn' ? cnn.mapGrid(encoder, shape) : evidence.mapGrid(encoder, shape),
    stateSize: config.head.kind === 'gru' ? config.head.units : 0,
    batchMoments: encoder.kind === 'cnn' && encoder.norm === 'batch',
    auxiliary: encoder.kind === 'cnn' ? encoder.auxiliary : 0,
    init: (random, { logit = 0 } = {}) => ({
      encoder:
        encoder.kind === 'cnn'
          ? cnn.init(encoder, shape, random.key('encoder'), logit)
          : evidence.init(encoder, shape, random.key('encoder'), logit),
      head: head.init(config.head, sizes, random.key('head')),
    }),
    encode: (parameters, x, mode) => {
      const tree = (parameters as Parts).encoder;
      if (encoder.kind === 'evidence') return evidence.encode(encoder, tree, x, mode);
      const encoded = cnn.encode(encoder, tree, x, mode);
      return { ...encoded, updates: prefixed(encoded.updates ?? {}) };
    },
    head: (parameters, inputs) => head.apply((parameters as Parts).head ?? {}, inputs),
  };
}

const prefixed = <T>(named: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(named).map(([name, value]) => [`encoder/${name}`, value]));
