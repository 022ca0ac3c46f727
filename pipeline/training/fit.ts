/**
 * Training from a dataset to a model: channels fitted on training frames, members one after the other.
 *
 *   const trained = await fitModel({ store, labels, split, model, training, onProgress });
 */
import type { ModelConfig, TrainingConfig } from '../../schemas/config/index.js';
import { PARTS } from '../../schemas/records/index.js';
import { type ChannelStatistics, channelCount, channelNames, fitChannels } from '../channels/index.js';
import { ConfigError } from '../errors.js';
import { centreCells, type LabelTable } from '../labels/index.js';
import { buildModel, type Model, type ModelShape } from '../models/index.js';
import type { OnProgress } from '../progress.js';
import { partMask, type Split, segments, TRAIN, timeline, VALIDATION, windows } from '../sequences/index.js';
import type { FrameStore } from '../shards/index.js';
import { openBackend, type ParameterTree } from '../tensor/index.js';
import { averagePrecision } from './averagePrecision.js';
import { type BatchSource, blocksOf, counts, SEASON, windowsPerStep } from './batch.js';
import { fingerprintOf } from './fingerprint.js';
import { type FrameTensors, frameTensors } from './frames.js';
import { type InitialWeights, readInitial, type StartReport } from './initial.js';
import { type Imbalance, imbalance } from './loss.js';
import { trainMember } from './member.js';
import { machineMemory, planStep } from './memory.js';
import type { TrainedModel } from './record.js';
import { scoreFrames } from './score.js';

export interface FitInput {
  store: FrameStore;
  labels: LabelTable;
  split: Split;
  /** Codes of the parts that train, see PARTS; default [0], the training part. */
  frames?: readonly number[];
  model: ModelConfig;
  training: TrainingConfig;
  /** Default: fitted on the frames that train. */
  channels?: ChannelStatistics;
  /** Folder of checkpoints; default: none are kept. */
  checkpointDir?: string;
  /** Go on from the checkpoints there; those of another configuration or data are passed over. */
  resume?: boolean;
  /** Path of log.jsonl; default: none. */
  log?: string;
  /** Memory for frames in bytes; default: training.memoryMiB. */
  budgetBytes?: number;
  /** Memory that one step may take; a larger one is refused. Default: all of this machine. */
  memoryBytes?: number;
  /** Hears what was taken from training.init, once. */
  onStart?: (report: StartReport) => void;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

/** Updates when the config names neither steps nor epochs. */
const STEPS = 440;

/**
 * @throws ConfigError when augmentation contradicts the channels; when no frame, or one class only, can train; when patience is set without a validation part;
 *   when a step does not fit in memory, or two batches in training.memoryMiB; when a parameter gets no gradient; when the loss is no longer a number.
 */
export async function fitModel(input: FitInput): Promise<TrainedModel> {
  const { store, labels, split, onProgress, signal } = input;
  const backend = await openBackend();
  const prepared = await prepare(input);
  const { model, channels, source, balance, initial } = prepared;
  const training = initial ? { ...input.training, initSha256: initial.sha256 } : input.training;
  const memoryBytes = input.memoryBytes ?? machineMemory(backend.name);
  const { plan, note } = planStep({ model, training, memoryBytes });
  const centres =
    training.centre > 0 ? centreCells(store, labels) : new Int32Array(store.index.length).fill(-1);
  const validation = validationFrames(input, source);
  const members: ParameterTree[] = [];
  const batch = windowsPerStep(training);
  const frames = await frameTensors(store, channels, {
    frames: [...prepared.trainFrames, ...validation],
    atOnce: training.windowLength * batch,
    budgetBytes: input.budgetBytes ?? training.memoryMiB * 2 ** 20,
    threads: training.readerThreads,
    onProgress,
    signal,
  });
  const steps = stepCount(training, source.windows.length);
  const { ringFrames } = frames;
  const blocks = blocksOf(source.windows, { batch, stride: training.windowStride, ringFrames });
  const mixed = ringFrames === null ? 'all' : blocks.openBlocks;
  const fingerprint = fingerprintOf({ ...input, training }, channels, backend.name, { mixed, plan });
  let logBytes = 0;
  try {
    for (let member = 0; member < training.ensemble; member++) {
      const trained = await trainMember({
        model,
        training,
        member,
        initial,
        steps,
        plan,
        planNote: note,
        source,
        windows: source.windows,
        frames,
        centres,
        imbalance: balance,
        noise: noiseScale(channels, training.noise),
        evaluate: validation.length ? (tree) => evaluate(input, model, frames, validation, tree) : null,
        checkpoints: input.checkpointDir ?? null,
        resume: input.resume ?? false,
        fingerprint,
        logPath: input.log ?? null,
        logBytes,
        onStart: member === 0 ? input.onStart : undefined,
        onProgress,
        signal,
      });
      members.push(trained.parameters);
      logBytes = trained.logBytes;
    }
  } finally {
    await frames.close();
  }
  return {
    formatVersion: 1,
    config: input.model,
    training,
    shape: model.shape,
    bandNames: store.description.bands.map((band) => band.name),
    grid: store.description.grid,
    channels,
    prior: balance.prior,
    positiveWeight: balance.positiveWeight,
    positives: balance.positives,
    negatives: balance.negatives,
    seeds: members.map((_, i) => training.seed + i),
    splitHash: split.hash,
    datasetHash: store.hash,
    labelHash: labels.hash,
    labelSource: labels.source,
    backend: backend.name,
    versions: backend.versions,
    members,
  };
}

export interface Prepared {
  model: Model;
  channels: ChannelStatistics;
  /** Frames that may reach the encoder in training, ascending. */
  trainFrames: number[];
  source: BatchSource;
  balance: Imbalance;
  /** Weights of training.init. */
  initial: InitialWeights | null;
}

/** Channels, model and windows of the parts that train. */
export async function prepare(input: FitInput): Promise<Prepared> {
  const { store, labels, split, training, onProgress } = input;
  refuseMovedPlaces(input);
  refuseFrozenChance(input);
  const { index, description } = store;
  const parts = partMask(split.part, ...(input.frames ?? [TRAIN]));
  const trainFrames = Array.from(index.ok.keys()).filter((i) => parts[i] === 1 && index.ok[i] === 1);
  const slots = timeline(index, description.stepMs, {
    parts,
    gaps: training.gaps,
    longestFill: training.windowLength - 1,
  });
  const source: BatchSource = {
    index,
    labels,
    timeline: slots,
    windows: windows(slots.segments, { length: training.windowLength, stride: training.windowStride }),
    season: input.model.channels.season,
  };
  const balance = balanceOf(source, trainFrames, input);
  const channels =
    input.channels ?? (await fitChannels(store, trainFrames, input.model.channels, { onProgress }));
  const shape: ModelShape = {
    height: description.grid.height,
    width: description.grid.width,
    channels: channelCount(channels),
    season: input.model.channels.season ? SEASON : 0,
  };
  const { init, initSha256 } = training;
  const initial = init === undefined ? null : await readInitial(init, initSha256);
  return { model: buildModel(input.model, shape), channels, trainFrames, source, balance, initial };
}

/** Frozen start values are random numbers for ever. */
function refuseFrozenChance({ model: { encoder }, training }: FitInput): void {
  if (!('freeze' in encoder) || encoder.freeze.length === 0 || training.init !== undefined) return;
  throw new ConfigError(
    `model.encoder.freeze keeps ${encoder.freeze.join(', ')} as they are, and no weights are given: they would stay random`,
    {
      hint: 'set training.init (or --init) to a run or a weights file, or model.encoder.freeze: []',
      fields: { freeze: encoder.freeze },
    },
  );
}

/** A map that is moved over the grid no longer lies where its coordinate channels say. */
function refuseMovedPlaces({ model, training: { mirror, shift } }: FitInput): void {
  if (!model.channels.coordinates || (!mirror && shift === 0)) return;
  throw new ConfigError(
    'training.mirror and training.shift move maps over the grid, model.channels.coordinates tells the place on it',
    {
      hint: 'set model.channels.coordinates: false, or training.mirror: false and training.shift: 0',
      fields: { mirror, shift, coordinates: true },
    },
  );
}

function balanceOf(source: BatchSource, trainFrames: readonly number[], input: FitInput): Imbalance {
  const judged = trainFrames.filter((frame) => counts(source, frame));
  const positives = judged.filter((frame) => source.labels.label[frame] === 1).length;
  const negatives = judged.length - positives;
  if (positives > 0 && negatives > 0) return imbalance(positives, negatives, input.training);
  const names = (input.frames ?? [TRAIN]).map((part) => PARTS[part]).join(' and ');
  throw new ConfigError(
    `cannot train: of the ${names} frames ${positives} are labelled storm and ${negatives} none; both are needed`,
    {
      hint: 'choose a split whose training part holds storms and calm, or look at the label column',
      fields: { positives, negatives },
    },
  );
}

/** Frames of the validation part whose label counts; none where the validation part itself trains. */
function validationFrames(input: FitInput, source: BatchSource): number[] {
  const trains = (input.frames ?? [TRAIN]).includes(VALIDATION);
  const { part } = input.split;
  const found = trains
    ? []
    : Array.from(part.keys()).filter((frame) => part[frame] === VALIDATION && counts(source, frame));
  if (input.training.patience === undefined || found.length) return found;
  throw new ConfigError('cannot stop early: no validation frame with a label', {
    hint: 'give the split a validation part, or leave out training.patience',
    fields: { patience: input.training.patience },
  });
}

/** Average precision of the validation part, each frame with the context labelling would give it inside that part. */
async function evaluate(
  { store, labels, split, training, signal }: FitInput,
  model: Model,
  frames: FrameTensors,
  validation: readonly number[],
  parameters: ParameterTree,
): Promise<number | null> {
  const { index, description } = store;
  const wanted = new Uint8Array(index.length);
  for (const frame of validation) wanted[frame] = 1;
  const found: { logit: number; label: number }[] = [];
  await scoreFrames(
    {
      model,
      members: [parameters],
      frames,
      index,
      segments: segments(index, description.stepMs, { parts: partMask(split.part, VALIDATION) }),
      contextLength: training.windowLength,
      wanted,
      // Streamed frames come in batches no larger than those of training, so that they stay within its memory.
      chunk: frames.resident ? undefined : training.windowLength * training.batch,
      signal,
    },
    ({ frame, logit }) => found.push({ logit, label: labels.label[frame] }),
  );
  return averagePrecision(
    found.map(({ logit }) => logit),
    found.map(({ label }) => label),
  );
}

export function stepCount(training: TrainingConfig, windowCount: number): number {
  const { steps, epochs } = training;
  return (
    steps ?? (epochs === undefined ? STEPS : Math.ceil((epochs * windowCount) / windowsPerStep(training)))
  );
}

/** Coordinates are exact: noise goes on measured channels only. */
export function noiseScale(channels: ChannelStatistics, sd: number): Float32Array {
  return Float32Array.from(channelNames(channels), (name) => (/^(row|column)$/.test(name) ? 0 : sd));
}
