/**
 * Whether one step fits in memory: the tape of a training step holds the activations of all its frames. A step that
 * does not fit ends a process without a word, so it is refused before it is tried.
 *
 *   refuseTooBig({ model, training, memoryBytes: machineMemory('tensorflow') });
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
  sum,
  tensorBytes,
  valueAndGradients,
  zeros,
} from '../tensor/index.js';

export interface StepSize {
  model: Model;
  training: Pick<TrainingConfig, 'batch' | 'windowLength'>;
  /** See `machineMemory`. */
  memoryBytes: number;
}

/** @throws ConfigError naming the bytes of a step and the largest batch that fits. */
export function refuseTooBig({ model, training, memoryBytes }: StepSize): void {
  const { batch, windowLength } = training;
  const frameBytes = tapeBytes(model);
  const stepBytes = frameBytes * batch * windowLength;
  if (stepBytes <= memoryBytes) return;
  const frames = Math.floor(memoryBytes / frameBytes);
  const fitting = Math.floor(frames / windowLength);
  const { height, width } = model.shape;
  throw new ConfigError(
    `one training step does not fit in memory: ${batch} windows of ${windowLength} frames of ${height} x ${width} need ${gib(stepBytes)}, there are ${gib(memoryBytes)}`,
    {
      hint:
        fitting >= 1
          ? `set training.batch to ${fitting} or less, or ingest on a coarser grid (--grid WxH)`
          : `set training.batch: 1 and training.windowLength to ${Math.max(1, frames)} or less, or ingest on a coarser grid (--grid WxH)`,
      fields: { stepBytes, memoryBytes, frameBytes, batch, windowLength },
    },
  );
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
