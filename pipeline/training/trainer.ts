/** One member's parameters and optimiser: what a step does to them. */
import type { TrainingConfig } from '../../schemas/config/index.js';
import type { Model } from '../models/index.js';
import { isMoving } from '../nn/index.js';
import { Random } from '../random.js';
import {
  adamW,
  dispose,
  leaves,
  mapTree,
  mul,
  type ParameterTree,
  type StoredTensor,
  sqrt,
  square,
  stack,
  sum,
  type Tensor,
  tidy,
  treeFrom,
} from '../tensor/index.js';
import { addNoise, drawMove, moveCell, moveFrames, type STILL } from './augment.js';
import type { Batch } from './batch.js';
import { type StepPlan, stepGradients } from './gradients.js';
import { brokenStep, gradientCheck } from './guard.js';
import type { Imbalance } from './loss.js';
import { learningRates } from './rates.js';
import { learningRateAt } from './schedule.js';

export interface TrainerInput {
  model: Model;
  training: TrainingConfig;
  seed: number;
  steps: number;
  /** Default: everything is kept for the gradient. */
  plan?: StepPlan;
  /** Copied; stays the caller's. */
  start: ParameterTree;
  centres: Int32Array;
  imbalance: Imbalance;
  noise: Float32Array;
  /** ms UTC by frame of the dataset, to name frames by. */
  time?: ArrayLike<number>;
}

export interface StepResult {
  loss: number;
  learningRate: number;
  /** Global norm before clipping. */
  gradientNorm: number;
}

export interface Trainer {
  /** One update on `x`, the batch's frames as channels; `step` counts from 0. */
  step(batch: Batch, x: Tensor, step: number): StepResult;
  /** All leaves as they are now; they stay the trainer's. */
  parameters(): ParameterTree;
  optimiser(): Map<string, StoredTensor>;
  restore(optimiser: Map<string, StoredTensor>, step: number): void;
  dispose(): void;
}

/** Decay pulls on matrices and kernels, never on biases, gains or norms. */
const decays = (name: string): boolean => /(^|\/)(kernel|recurrent)$/.test(name);

export function trainer({
  model,
  training,
  seed,
  steps,
  plan = { kind: 'full' },
  start,
  ...rest
}: TrainerInput): Trainer {
  const { centres, imbalance, noise, time } = rest;
  const all = leaves(start);
  const learns = (name: string): boolean => !isMoving(name) && !model.isFrozen(name);
  const optimiser = adamW(treeFrom(all.filter(({ name }) => learns(name))), {
    learningRate: training.learningRate,
    weightDecay: training.weightDecay,
    decays,
    rate: learningRates(training.learningRates, all, learns),
  });
  const names = leaves(optimiser.parameters).map(({ name }) => name);
  /** Leaves that no optimiser touches: moments, and what is frozen. */
  const still = new Map(
    all.filter(({ name }) => !learns(name)).map(({ name, tensor }) => [name, tensor.clone()]),
  );
  const checkGradients = gradientCheck();

  const joined = (trained: ParameterTree): ParameterTree => {
    if (still.size === 0) return trained;
    const current = new Map([
      ...leaves(trained).map(({ name, tensor }) => [name, tensor] as const),
      ...still,
    ]);
    return treeFrom(all.map(({ name }) => ({ name, tensor: current.get(name)! })));
  };

  const follow = (updates: Record<string, Tensor>) => {
    for (const [name, value] of Object.entries(updates)) {
      still.get(name)?.dispose();
      still.set(name, value);
    }
  };

  return {
    parameters: () => joined(optimiser.parameters),
    step(batch, x, step) {
      const random = Random.from(seed).key('step').key(step);
      const moved = augment(batch, x, { training, model, centres, noise, random });
      const { loss, gradients } = stepGradients(
        {
          model,
          batch,
          x: moved.x,
          centres: moved.centres,
          training,
          positiveWeight: imbalance.positiveWeight,
          trained: optimiser.parameters,
          joined,
          mode: () => ({ training: true, random: random.key('dropout') }),
          moved: follow,
        },
        plan,
        training.accumulate,
      );
      const learningRate = learningRateAt(step, { ...training, steps });
      try {
        const norm = globalNorm(gradients);
        if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
          const parameters = joined(optimiser.parameters);
          const times = time ? Array.from(batch.frames, (frame) => time[frame]) : null;
          throw brokenStep({ step, learningRate, loss, norm, gradients, parameters, x: moved.x, times });
        }
        checkGradients(gradients, names, step);
        clippedStep(gradients, { norm, clip: training.clip }, (g) => optimiser.step(g, learningRate));
        return { loss, learningRate, gradientNorm: norm };
      } finally {
        dispose(gradients);
        if (moved.x !== x) moved.x.dispose();
      }
    },
    optimiser() {
      const { first, second } = optimiser.state();
      return new Map([...named('first', first), ...named('second', second)]);
    },
    restore(stored, step) {
      const part = (prefix: string) =>
        new Map(
          [...stored].filter(([n]) => n.startsWith(prefix)).map(([n, v]) => [n.slice(prefix.length), v]),
        );
      optimiser.restore({ step, first: part('first/'), second: part('second/') });
    },
    dispose() {
      optimiser.dispose();
      for (const tensor of still.values()) tensor.dispose();
    },
  };
}

const named = (prefix: string, values: Map<string, StoredTensor>) =>
  [...values].map(([name, value]) => [`${prefix}/${name}`, value] as const);

interface AugmentInput {
  training: TrainingConfig;
  model: Model;
  /** By frame of the dataset. */
  centres: Int32Array;
  noise: Float32Array;
  random: Random;
}

/** The batch's frames moved and noised, and the centre cell of each in its new place. */
function augment(batch: Batch, x: Tensor, { training, model, centres, noise, random }: AugmentInput) {
  const { height, width } = model.shape;
  const own = Int32Array.from(batch.frames, (frame) => centres[frame]);
  let moved = x;
  if (training.mirror || training.shift > 0) {
    const draws = random.key('move');
    const runs = Array.from(batch.runs, (frames) => ({ frames, move: drawMove(training, draws) }));
    const moves = runs.flatMap(({ frames, move }) => Array(frames).fill(move) as (typeof STILL)[]);
    moved = moveFrames(x, runs, training.shift);
    own.forEach((cell, i) => {
      own[i] = moveCell(cell, moves[i], height, width);
    });
  }
  if (!noise.some((sd) => sd > 0)) return { x: moved, centres: own };
  const noisy = addNoise(moved, noise, random.key('noise'));
  if (moved !== x) moved.dispose();
  return { x: noisy, centres: own };
}

/** Root of the sum of all squares. */
export function globalNorm(gradients: ParameterTree): number {
  const total = tidy(() => sqrt(sum(stack(leaves(gradients).map(({ tensor }) => sum(square(tensor)))))));
  const [norm] = total.dataSync();
  total.dispose();
  return norm;
}

/** Hands the gradients to `update`, scaled to a global norm of at most `clip` where theirs, `norm`, is larger. */
export function clippedStep(
  gradients: ParameterTree,
  { norm, clip }: { norm: number; clip: number },
  update: (gradients: ParameterTree) => void,
): void {
  if (norm <= clip) {
    update(gradients);
    return;
  }
  const clipped = tidy(() => mapTree(gradients, (tensor) => mul(tensor, clip / (norm + 1e-6))));
  update(clipped);
  dispose(clipped);
}
