/** Which run a checkpoint belongs to. */
import { createHash } from 'node:crypto';
import type { ChannelStatistics } from '../channels/index.js';
import { TRAIN } from '../sequences/index.js';
import type { FitInput } from './fit.js';
import type { StepPlan } from './gradients.js';

/**
 * Everything that decides the numbers of a run: not who reads, and of the memory only how many windows it lets be mixed and
 * in which parts the gradient is summed.
 */
export function fingerprintOf(
  input: FitInput,
  channels: ChannelStatistics,
  backend: string,
  { mixed, plan }: { mixed: number | 'all'; plan: StepPlan },
): string {
  const { store, labels, split, model, frames } = input;
  const {
    memoryMiB: _,
    readerThreads: __,
    memory: ___,
    stepMemoryMiB: ____,
    init: _____,
    ...given
  } = input.training;
  const { learningRates, ...rest } = given;
  const training = Object.keys(learningRates).length ? given : rest;
  const data = [store.hash, labels.hash, split.hash, frames ?? [TRAIN]];
  const parts = [...data, model, training, channels, backend, mixed, ...(plan.kind === 'full' ? [] : [plan])];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
