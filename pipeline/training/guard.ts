/** Faults of a run that would otherwise go unseen: parameters that never learn, numbers that are no longer numbers. */
import { ConfigError } from '../errors.js';
import { abs, leaves, max, type ParameterTree, sub, sum, type Tensor, tidy } from '../tensor/index.js';

/** A gradient of exact zeros this many steps in a row means that a parameter never learns. */
const SILENT_STEPS = 3;

/**
 * Looks at the gradients of the first steps. A leaf without any path to the loss is an error at once; one whose
 * gradient is exactly zero (as it rightly is behind an output that starts at zero) after a few steps.
 */
export function gradientCheck(): (gradients: ParameterTree, names: readonly string[], step: number) => void {
  const moved = new Set<string>();
  return (gradients, names, step) => {
    if (step >= SILENT_STEPS) return;
    const found = new Map(leaves(gradients).map(({ name, tensor }) => [name, tensor]));
    const absent = names.filter((name) => !found.has(name));
    if (absent.length) throw unreached(absent, 'no path leads from them to the loss');
    for (const [name, gradient] of found) if (!moved.has(name) && largest(gradient) > 0) moved.add(name);
    const silent = names.filter((name) => !moved.has(name));
    if (step === SILENT_STEPS - 1 && silent.length)
      throw unreached(silent, `their gradient was exactly zero in the first ${SILENT_STEPS} steps`);
  };
}

export interface Broken {
  /** Counted from 0. */
  step: number;
  learningRate: number;
  loss: number;
  /** Global norm of the gradients. */
  norm: number;
  gradients: ParameterTree;
  parameters: ParameterTree;
  /** `[frames, ...]`, what went into the encoder. */
  x: Tensor;
  /** ms UTC of each row of `x`; null where they are not known. */
  times: ArrayLike<number> | null;
}

/** Most names and times that are told. */
const TOLD = 5;

/**
 * Why a step cannot be taken: in which frames, else in which parameters, else in whose gradients the first numbers stand that
 * are none. Leaves come in the order of the model.
 */
export function brokenStep({ step, learningRate, loss, norm, x, times, ...trees }: Broken): ConfigError {
  const what = Number.isFinite(loss) ? `the gradients have norm ${norm}` : `the loss is ${loss}`;
  const rows = badRows(x).map((row) => (times ? new Date(times[row]).toISOString() : `row ${row}`));
  const [parameters, gradients] = [badLeaves(trees.parameters), badLeaves(trees.gradients)];
  const where = rows.length
    ? `the frames ${told(rows)} hold values that are not finite`
    : parameters.length
      ? `the parameters ${told(parameters)} are not finite`
      : `all frames and parameters are finite; the first gradients that are not: ${told(gradients) || 'none'}`;
  const hint = rows.length
    ? 'look at these maps: stormreel dataset info DATASET'
    : `lower training.learningRate (now ${learningRate}) or training.clip`;
  return new ConfigError(`cannot go on training: ${what} at step ${step + 1}; ${where}`, {
    hint,
    fields: { step: step + 1, loss: String(loss), norm: String(norm), frames: rows, parameters, gradients },
  });
}

const told = (names: readonly string[]): string =>
  names.slice(0, TOLD).join(', ') + (names.length > TOLD ? ` and ${names.length - TOLD} more` : '');

/** Numbers of the rows with a value that is not finite: x - x is 0 elsewhere. */
function badRows(x: Tensor): number[] {
  const sums = tidy(() =>
    sum(
      sub(x, x),
      x.shape.slice(1).map((_, i) => i + 1),
    ),
  );
  const values = sums.dataSync();
  sums.dispose();
  return [...values.keys()].filter((row) => values[row] !== 0);
}

function badLeaves(tree: ParameterTree): string[] {
  return leaves(tree).flatMap(({ name, tensor }) => {
    const total = tidy(() => sum(sub(tensor, tensor)));
    const [value] = total.dataSync();
    total.dispose();
    return value === 0 ? [] : [name];
  });
}

function largest(gradient: Tensor): number {
  const value = tidy(() => max(abs(gradient)));
  const [number] = value.dataSync();
  value.dispose();
  return number;
}

function unreached(parameters: string[], why: string): ConfigError {
  return new ConfigError(`cannot train ${parameters.join(', ')}: ${why}`, {
    hint: 'change the model so that every parameter takes part, or look for an input that is zero everywhere',
    fields: { parameters },
  });
}
