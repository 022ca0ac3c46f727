import type { CnnConfig, ModelConfig } from '../../schemas/config/index.js';
import type { ParameterTree } from '../tensor/index.js';
import type { BackboneAttention } from './attention.js';
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
  const bands = shape.channels;
  if (config.kind === 'cnn') {
    const own = cnn.attentionOf(config, shape);
    return {
      ...attended(config, own),
      featureCount: cnn.featureCount(config),
      floatsPerCell: Math.max(bands, ...config.widths),
      mapGrid: own?.mapGrid ?? cnn.mapGrid(config, shape),
      batchMoments: config.norm === 'batch',
      isFrozen: () => false,
      inputKernel: 'encoder/block0/conv/kernel',
      init: (random, logit) => cnn.init(config, own, { bands, random, logit }),
      encode: (parameters, x, mode) => cnn.encode(config, own, parameters, x, mode),
    };
  }
  const last = deep.mapGrid(config, shape); // refuses maps that shrink to one cell, wherever the taps are
  const own = deep.attentionOf(config, shape);
  return {
    ...attended(config, own),
    featureCount: deep.featureCount(config),
    floatsPerCell: deep.floatsPerCell(config, shape),
    mapGrid: own?.mapGrid ?? last,
    batchMoments: deep.batchMoments(config),
    isFrozen: (name) => deep.isFrozen(config, name),
    inputKernel: 'encoder/backbone/stem/conv/kernel',
    init: (random, logit) => deep.init(config, own, { bands, random, logit }),
    encode: (parameters, x, mode): Encoded => deep.encode(config, own, parameters, x, mode),
  };
}

/** What an encoder with or without attention of its own says of where it looks. */
function attended(
  { attention, auxiliary }: Pick<CnnConfig, 'attention' | 'auxiliary'>,
  own: BackboneAttention | null,
): Pick<Encoder, 'looks' | 'taps' | 'weighsTaps' | 'auxiliary'> {
  const looks = own?.looks ?? true;
  return {
    looks,
    taps: own?.taps ?? [],
    weighsTaps: attention?.modules.includes('scale') ?? false,
    auxiliary: looks ? auxiliary : 0,
  };
}

const prefixed = <T>(named: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(named).map(([name, value]) => [`encoder/${name}`, value]));
