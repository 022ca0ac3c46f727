/** Trains the autoencoder on windows that end at frames drawn by chance; all that is random follows from the seed. */
import type { AnomalyConfig } from '../../schemas/config/index.js';
import { ConfigError } from '../errors.js';
import type { OnProgress } from '../progress.js';
import { Random } from '../random.js';
import { adamW, clone, dispose, type ParameterTree, tidy, valueAndGradients } from '../tensor/index.js';
import { clippedStep, globalNorm, learningRateAt } from '../training/index.js';
import { type Autoencoder, autoencoder, windowLoss } from './autoencoder.js';
import { type EndingWindows, windowBatch } from './windows.js';

export interface TrainInput {
  config: AnomalyConfig;
  ending: EndingWindows;
  /** `[frame, feature]` */
  values: Float32Array;
  features: number;
  /** Frames to learn from; no other frame enters a window. */
  fit: Uint32Array;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

const BATCH = 64;
const CLIP = 1;
const SCHEDULE = { learningRate: 3e-3, warmup: 0.1 };
const DECAY = { weightDecay: 0.01, decays: (name: string) => /kernel|recurrent/.test(name) };
/** Steps between two reports of progress. */
const REPORT_EVERY = 20;

/** The parameters (the caller's to free) and the running mean of the loss, nats a feature. */
export async function train(input: TrainInput): Promise<{ parameters: ParameterTree; loss: number }> {
  const { config, features, onProgress, signal } = input;
  const { steps } = config;
  const random = Random.from(config.seed).key('anomaly');
  const net = autoencoder(config, features);
  const start = tidy(() => net.init(random.key('init')));
  const optimiser = adamW(start, DECAY);
  dispose(start);
  const take = stepper(input, net, random);
  let average = Number.NaN;
  try {
    for (let step = 0; step < steps; step++) {
      signal?.throwIfAborted();
      const { loss, gradients } = take(optimiser.parameters, step);
      const rate = learningRateAt(step, { ...SCHEDULE, steps });
      const norm = globalNorm(gradients);
      clippedStep(gradients, { norm, clip: CLIP }, (clipped) => optimiser.step(clipped, rate));
      dispose(gradients);
      average = Number.isNaN(average) ? loss : 0.95 * average + 0.05 * loss;
      if ((step + 1) % REPORT_EVERY !== 0 && step !== steps - 1) continue;
      const note = `NLL ${average.toFixed(3)} a feature`;
      onProgress?.({ stage: 'anomaly', done: step + 1, total: steps, unit: 'steps', note });
      await new Promise(setImmediate);
    }
    return { parameters: clone(optimiser.parameters), loss: average };
  } finally {
    optimiser.dispose();
  }
}

/** Loss and gradients of one batch. */
function stepper({ ending, values, features, fit }: TrainInput, net: Autoencoder, random: Random) {
  const there = new Uint8Array(ending.start.length);
  for (const frame of fit) there[frame] = 1;
  return (parameters: ParameterTree, step: number) => {
    const draw = random.key('windows').key(step);
    const ends = Uint32Array.from({ length: BATCH }, () => fit[draw.integer(fit.length)]);
    const batch = windowBatch(ending, ends, values, features, there);
    const mode = { training: true, random: random.key('tokens').key(step) };
    const { loss, gradients } = valueAndGradients(parameters, (p) => ({
      loss: windowLoss(net.nll(p, batch, mode), batch, batch.frames),
    }));
    dispose([batch.x, batch.mask]);
    if (Number.isFinite(loss)) return { loss, gradients };
    dispose(gradients);
    throw diverged(step, loss);
  };
}

function diverged(step: number, loss: number): ConfigError {
  return new ConfigError(`cannot go on fitting the anomaly model: the loss is ${loss} at step ${step + 1}`, {
    hint: 'look for extreme values in the maps with `stormreel dataset info`, or set other anomaly.units and anomaly.seed',
    fields: { step: step + 1, loss: String(loss) },
  });
}
