/**
 * How a step is made to fit in memory: what is recorded for the gradient holds the activations of many frames. A step
 * that does not fit ends a process without a word, so it is refused before it is tried.
 *
 *   const plan = planStep({ model, training, memoryBytes: machineMemory('tensorflow') });
 */
import { totalmem } from 'node:os';
import type { TrainingConfig } from '../../schemas/config/index.js';
import { ConfigError } from '../errors.js';
import type { Model } from '../models/index.js';
import { Random } from '../random.js';
import {
  type BackendName,
  dispose,
  type ParameterTree,
  peakTensorBytes,
  sum,
  tensorBytes,
  valueAndGradients,
  zeros,
} from '../tensor/index.js';
import type { StepPlan } from './gradients.js';

export interface StepSize {
  model: Model;
  training: Pick<TrainingConfig, 'batch' | 'windowLength' | 'memory' | 'stepMemoryMiB'>;
  /** See `machineMemory`. */
  memoryBytes: number;
}

/** Part of the machine's memory that a record may take where nothing is said: kernels and readers need room beside it. */
const SHARE = 0.6;
/** More frames at a time make a step no faster. */
const MOST_FRAMES = 16;

/** How the gradient is made, and a sentence on it for the log. ConfigError: no way, or not the one asked for, fits. */
export function planStep(size: StepSize): { plan: StepPlan; note: string } {
  const { model, training, memoryBytes } = size;
  const frames = training.batch * training.windowLength;
  const most = training.stepMemoryMiB ? training.stepMemoryMiB * 2 ** 20 : SHARE * memoryBytes;
  const asked = training.memory;
  const whole = tapeBytes(model);
  const fits = frames * whole <= (asked === 'full' ? memoryBytes : most);
  const room = { frames, most };
  if (asked === 'full' || (asked === 'auto' && fits)) {
    if (fits) return { plan: { kind: 'full' }, note: `${gib(frames * whole)} for the gradient of a step` };
    throw tooBig(size, whole);
  }
  if (model.batchMoments) {
    if (asked === 'auto') throw tooBig(size, whole);
    throw moments(size);
  }
  if (asked !== 'blockwise' && whole <= most) return parts('framewise', whole, room);
  const block = blockBytes(model);
  if (asked !== 'framewise' && block <= most) return parts('blockwise', block, room);
  throw frameTooBig(size, asked === 'framewise' ? whole : block, most);
}

function parts(
  kind: 'framewise' | 'blockwise',
  frameBytes: number,
  { frames, most }: { frames: number; most: number },
): { plan: StepPlan; note: string } {
  const together = Math.max(1, Math.min(frames, MOST_FRAMES, Math.floor(most / frameBytes)));
  const note = `gradient of ${together} of ${frames} frames at a time, ${kind}: ${gib(together * frameBytes)}`;
  return { plan: { kind, frames: together }, note };
}

function tooBig({ model, training, memoryBytes }: StepSize, frameBytes: number): ConfigError {
  const { batch, windowLength, stepMemoryMiB } = training;
  const there = stepMemoryMiB ? stepMemoryMiB * 2 ** 20 : memoryBytes;
  const stepBytes = frameBytes * batch * windowLength;
  const frames = Math.floor(there / frameBytes);
  const fitting = Math.floor(frames / windowLength);
  const { height, width } = model.shape;
  const smaller =
    fitting >= 1
      ? `set training.batch to ${fitting} or less, or ingest on a coarser grid (--grid WxH)`
      : `set training.batch: 1 and training.windowLength to ${Math.max(1, frames)} or less, or ingest on a coarser grid (--grid WxH)`;
  const exact = model.batchMoments
    ? `with model.encoder.norm: ${normOfOne(model)} it could be done a few frames at a time`
    : 'training.memory: auto does it a few frames at a time';
  return new ConfigError(
    `one training step does not fit in memory: ${batch} windows of ${windowLength} frames of ${height} x ${width} need ${gib(stepBytes)}, there are ${gib(there)}`,
    {
      hint: `${smaller}; ${exact}`,
      fields: { stepBytes, memoryBytes: there, frameBytes, batch, windowLength },
    },
  );
}

/** The norm that knows nothing of other frames. */
const normOfOne = ({ config: { encoder } }: Model): string => (encoder.kind === 'cnn' ? 'none' : 'fixed');

function moments({ model, training: { memory } }: StepSize): ConfigError {
  return new ConfigError(
    `training.memory: ${memory} is not exact where batch norm takes its moments from all frames of a batch`,
    { hint: `set model.encoder.norm: ${normOfOne(model)}, or training.memory: full`, fields: { memory } },
  );
}

function frameTooBig({ model, training }: StepSize, frameBytes: number, most: number): ConfigError {
  const { height, width } = model.shape;
  const { memory } = training;
  return new ConfigError(
    `one frame of ${height} x ${width} does not fit in memory: its gradient needs ${gib(frameBytes)}, there are ${gib(most)}`,
    {
      hint: `${memory === 'framewise' ? 'set training.memory: blockwise, ' : ''}give training.stepMemoryMiB more, or ingest on a coarser grid (--grid WxH)`,
      fields: { frameBytes, memoryBytes: most, memory },
    },
  );
}

/** Most bytes alive while the gradient of one frame is made block by block, measured. */
function blockBytes(model: Model): number {
  const { height, width, channels } = model.shape;
  const parameters = model.init(Random.from(0));
  const { result, bytes } = peakTensorBytes(() =>
    valueAndGradients<ParameterTree>(parameters, (p) => {
      const x = zeros([1, height, width, channels]);
      const { features } = model.encode(p, x, { training: true, random: Random.from(0), again: true });
      return { loss: sum(features) };
    }),
  );
  dispose([parameters, result.gradients]);
  return bytes;
}

/** Bytes alive at the end of the encoder's forward pass over one frame, measured. */
export function tapeBytes(model: Model): number {
  const { height, width, channels } = model.shape;
  const parameters = model.init(Random.from(0));
  const before = tensorBytes();
  let held = 0;
  const { aux, gradients } = valueAndGradients<ParameterTree, Record<string, never>>(parameters, (p) => {
    const x = zeros([1, height, width, channels]);
    const { features, updates } = model.encode(p, x, { training: true, random: Random.from(0) });
    held = tensorBytes() - before;
    return { loss: sum(features), aux: (updates ?? {}) as Record<string, never> };
  });
  dispose([parameters, aux, gradients]);
  return held;
}

/** What this machine, or the container around this process, has; WebAssembly addresses 4 GiB at most. */
export function machineMemory(backend: BackendName): number {
  const container = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  const address = backend === 'wasm' ? 2 ** 32 : Number.POSITIVE_INFINITY;
  return Math.min(totalmem(), container, address);
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
