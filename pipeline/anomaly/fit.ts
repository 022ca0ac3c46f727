/** Fits frame features, the autoencoder and the calibration of its scores. A tensor backend must be open. */
import { type AnomalyConfig, ChannelsConfig } from '../../schemas/config/index.js';
import { fitChannels } from '../channels/index.js';
import type { LabelTable } from '../labels/index.js';
import type { OnProgress } from '../progress.js';
import { Random } from '../random.js';
import { type Split, segments, TEST } from '../sequences/index.js';
import type { FrameStore } from '../shards/index.js';
import { dispose } from '../tensor/index.js';
import { calibrate } from './calibrate.js';
import { type FrameFeatures, fitFeatures, frameFeatures } from './features.js';
import { chooseFrames } from './frames.js';
import type { AnomalyModel } from './record.js';
import { usable, windowScores } from './score.js';
import { train } from './train.js';
import { endingWindows } from './windows.js';

export interface FitAnomalyInput {
  store: FrameStore;
  /** Null: nothing is known to be a storm, all frames count as calm. */
  labels: LabelTable | null;
  /** Null: every frame belongs to the training part. */
  split: Split | null;
  config: AnomalyConfig;
  /** Default: each band minus the frame's mean. Coordinates and season say nothing about a frame and are left out. */
  channels?: ChannelsConfig;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

export interface FittedAnomaly {
  model: AnomalyModel;
  /** Of every frame of the store, to score them without reading it again. */
  features: FrameFeatures;
}

/** @throws ConfigError when too few frames are left to learn from or the loss is no number. */
export async function fitAnomaly(input: FitAnomalyInput): Promise<FittedAnomaly> {
  const { store, split, config, onProgress, signal } = input;
  const { index, description } = store;
  const chosen = chooseFrames(store, input);
  const channels = await fitChannels(store, chosen.fit, ownChannels(input.channels), { onProgress });
  const learned = await fitFeatures(store, channels, chosen.fit, config.features, { onProgress, signal });
  const features = await frameFeatures(store, { channels, ...learned }, { onProgress, signal });
  const own = segments(index, description.stepMs);
  const ending = endingWindows(own, index.length, config.windowLength);
  const readable = usable(index, features);
  const fit = chosen.fit.filter((frame) => readable[frame] === 1);
  const { count } = learned.features;
  const base = { config, ending, values: features.values, features: count, onProgress, signal };
  const { parameters, loss } = await train({ ...base, fit });
  const model = {
    formatVersion: 1 as const,
    config,
    bandNames: description.bands.map(({ name }) => name),
    grid: description.grid,
    channels,
    ...learned,
    fit: { frames: fit.length, windows: fit.length, finalLoss: loss, words: chosen.words },
    datasetHash: store.hash,
    splitHash: split?.hash ?? null,
    parameters,
  };
  try {
    // Not even the windows that end at calibration frames may hold a test frame.
    const there = readable.map((ok, frame) => (split?.part[frame] === TEST ? 0 : ok));
    const frames = chosen.calibration;
    const score = await windowScores(model, { ending, values: features.values, there, frames, signal });
    const random = Random.from(config.seed).key('calibration');
    return { model: { ...model, ...calibrate({ store, segments: own, score, frames, random }) }, features };
  } catch (error) {
    dispose(parameters);
    throw error;
  }
}

function ownChannels(channels: ChannelsConfig = ChannelsConfig.parse({ anomaly: 'frame' })): ChannelsConfig {
  return { ...channels, coordinates: false, season: false };
}
