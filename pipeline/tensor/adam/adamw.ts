/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019), as Keras 3 computes it: first
 * p -= learningRate * weightDecay * p, then p -= alpha * m / (sqrt(v) + epsilon) with
 * alpha = learningRate * sqrt(1 - beta2^t) / (1 - beta1^t).
 *
 *   const optimizer = adamW(model.init(random), { weightDecay: 1e-2, decays: (name) => name.endsWith('kernel') });
 *   optimizer.step(gradients, 1e-3);      // gradients in the form of the parameters
 *   apply(optimizer.parameters, ...);     // new tensors after every step
 */

import { isNative } from '../native/execute.js';
import type { ParameterTree, StoredTensor } from '../tree.js';
import { nativeAdamW } from './native.js';
import { portableAdamW } from './portable.js';

export interface AdamOptions {
  /** Default 1e-3; `step` may give another. */
  learningRate?: number;
  /** Default 0.9. */
  beta1?: number;
  /** Default 0.999. */
  beta2?: number;
  /** Default 1e-7, as Keras. */
  epsilon?: number;
  /** Default 0. */
  weightDecay?: number;
  /** Factor on the learning rate of a leaf, its decay included; default 1. */
  rate?: (name: string) => number;
  /** Which leaves decay; default all. */
  decays?: (name: string) => boolean;
}

/** Moments by leaf name and the number of steps taken; with the parameters all that a resumed run needs. */
export interface AdamState {
  step: number;
  first: Map<string, StoredTensor>;
  second: Map<string, StoredTensor>;
}

export interface Optimizer<Tree extends ParameterTree = ParameterTree> {
  /** The parameters now, owned by the optimizer; the ones from before a step are freed by it. */
  readonly parameters: Tree;
  /** One update; a leaf whose gradient is null or missing stays as it is. The gradients stay the caller's. */
  step(gradients: ParameterTree, learningRate?: number): void;
  state(): AdamState;
  restore(state: AdamState): void;
  /** Replaces the parameters by copies of `values`; moments stay. */
  assign(values: Tree): void;
  dispose(): void;
}

/** Copies `initial`, which stays the caller's. Fused kernels on native TensorFlow, plain operations elsewhere. */
export function adamW<Tree extends ParameterTree>(initial: Tree, options: AdamOptions = {}): Optimizer<Tree> {
  return isNative() ? nativeAdamW(initial, defaults(options)) : portableAdamW(initial, defaults(options));
}

/** Options with every default filled in. */
export function defaults(options: AdamOptions): Required<AdamOptions> {
  const base = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0 };
  return { ...base, decays: () => true, rate: () => 1, ...options };
}
