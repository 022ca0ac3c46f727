/** Faults of a run that would otherwise go unseen: parameters that never learn, numbers that are no longer numbers. */
import { ConfigError } from '../errors.js';
import { abs, leaves, max, type ParameterTree, type Tensor, tidy } from '../tensor/index.js';

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

/** @throws ConfigError when the loss is not finite. */
export function refuseNaN(loss: number, step: number, learningRate: number): void {
  if (Number.isFinite(loss)) return;
  throw new ConfigError(`cannot go on training: the loss is ${loss} at step ${step + 1}`, {
    hint: `lower training.learningRate (now ${learningRate}) or look for infinite values in the maps`,
    fields: { step: step + 1, loss: String(loss) },
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
