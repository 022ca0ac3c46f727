/**
 * The gradient of a step in three ways that give the same numbers: with everything kept, or exactly in the memory of a few
 * frames, whatever the length of the windows:
 *   1. the encoder on a few frames at a time, nothing kept but its outputs;
 *   2. head and losses with a record: loss, gradients of the head, and of the loss by the encoder's outputs;
 *   3. the encoder once more, a few frames at a time with a record, each carrying its part of those back.
 */

import type { Mode } from '../nn/index.js';
import {
  add,
  concat,
  dispose,
  leaves,
  mapTree,
  mul,
  type ParameterTree,
  slice,
  sum,
  type Tensor,
  tidy,
  treeFrom,
  valueAndGradients,
} from '../tensor/index.js';
import { piecesOf } from './batch.js';
import { type Codes, encodedLoss, type LossInput, stepLoss } from './step.js';

/** `frames`: how many are recorded together; `blocks`: within them each segment of the model is done again. */
export type StepPlan =
  | { readonly kind: 'full' }
  | { readonly kind: 'framewise' | 'blockwise'; readonly frames: number };

export interface GradientInput extends Omit<LossInput, 'parameters' | 'mode'> {
  /** Leaves that get a gradient. */
  trained: ParameterTree;
  /** With all others beside them, as the model has them. */
  joined(trained: ParameterTree): ParameterTree;
  /** The same random numbers each time. */
  mode(): Mode;
  /** Takes new values of moving moments, by leaf, which are its own then; `joined` gives them from then on. */
  moved(updates: Record<string, Tensor>): void;
}

export interface StepGradients {
  loss: number;
  /** In the form of `trained`; the caller's to free. */
  gradients: ParameterTree;
}

/**
 * The gradient of the whole batch, summed over `pieces` of its windows one after the other. Each piece divides by the number
 * of labels of all, so that pieces count by their labels, however ragged their masks.
 */
export function stepGradients(input: GradientInput, plan: StepPlan, pieces = 1): StepGradients {
  const { batch, x, centres, mode, trained } = input;
  if (pieces === 1) return pieceGradients(input, plan);
  const found = new Map<string, Tensor>();
  let loss = 0;
  for (const piece of piecesOf(batch, pieces)) {
    const { from, to, of } = piece.frames;
    if (to === from) continue; // nothing but gaps
    const own = rows(x, piece.frames);
    const run = pieceGradients(
      {
        ...input,
        batch: piece.batch,
        x: own,
        centres: centres.subarray(from, to),
        mode: () => ({ ...mode(), part: { from, to, of } }),
      },
      plan,
    );
    own.dispose();
    loss += run.loss;
    for (const { name, tensor } of leaves(run.gradients)) accumulate(found, name, tensor);
  }
  return { loss, gradients: inOrder(trained, found) };
}

function pieceGradients(input: GradientInput, plan: StepPlan): StepGradients {
  const { trained, joined, mode, moved } = input;
  if (plan.kind !== 'full') return framewise(input, plan);
  const { loss, aux, gradients } = valueAndGradients(trained, (p) => {
    const { loss, updates } = stepLoss({ ...input, parameters: joined(p), mode: mode() });
    return { loss, aux: updates };
  });
  moved(aux ?? {});
  return { loss, gradients };
}

function framewise(input: GradientInput, plan: Exclude<StepPlan, { kind: 'full' }>): StepGradients {
  const { trained, joined, mode } = input;
  const parts = partsOf(input.x.shape[0], plan.frames);
  const again = plan.kind === 'blockwise';
  const codes = encodedParts(input, parts);
  const head = valueAndGradients({ codes, own: trained }, ({ codes, own }) => {
    const whole = { ...input, parameters: joined(own), mode: { ...mode(), part: undefined } };
    return { loss: encodedLoss(codes as unknown as Codes, whole).loss };
  });
  dispose(codes);
  const found = new Map(leaves(head.gradients.own).map(({ name, tensor }) => [name, tensor]));
  const back = leaves(head.gradients.codes); // none for what the loss does not read
  for (const part of parts) {
    const run = valueAndGradients(trained, (p) => {
      const own = new Map(
        leaves(encodePart(input, joined(p), part, again)).map(({ name, tensor }) => [name, tensor]),
      );
      const terms = back.map(({ name, tensor }) => sum(mul(own.get(name)!, rows(tensor, part))));
      return { loss: terms.reduce((a, b) => add(a, b)) };
    });
    for (const { name, tensor } of leaves(run.gradients)) accumulate(found, name, tensor);
  }
  dispose(head.gradients.codes);
  return { loss: head.loss, gradients: inOrder(trained, found) };
}

/** As a tree; leaves that no path reaches are absent. */
const inOrder = (trained: ParameterTree, found: ReadonlyMap<string, Tensor>): ParameterTree =>
  treeFrom(
    leaves(trained).flatMap(({ name }) => (found.has(name) ? [{ name, tensor: found.get(name)! }] : [])),
  );

/** Frames `from` .. `to - 1` of `of`. */
type Part = NonNullable<Mode['part']>;

const partsOf = (frames: number, most: number): Part[] =>
  Array.from({ length: Math.ceil(frames / most) }, (_, i) => ({
    ...{ from: i * most, to: Math.min(frames, (i + 1) * most), of: frames },
  }));

/** Outputs of the encoder for all frames, as a tree; nothing else stays. */
function encodedParts(input: GradientInput, parts: readonly Part[]): ParameterTree {
  const found = parts.map((part) => tidy(() => encodePart(input, input.joined(input.trained), part, false)));
  const byPart = found.map((tree) => leaves(tree));
  const joint = tidy(() =>
    mapTree(found[0], (_, name) =>
      concat(byPart.map((part) => part.find((leaf) => leaf.name === name)!.tensor)),
    ),
  );
  for (const one of found) dispose(one);
  return joint;
}

/** What the loss reads of the encoder's outputs. */
function encodePart(
  { model, x, mode }: GradientInput,
  parameters: ParameterTree,
  part: Part,
  again: boolean,
): ParameterTree {
  const own = mode();
  const { from, of } = own.part ?? { from: 0, of: part.of };
  const whole = { from: from + part.from, to: from + part.to, of };
  const encoded = model.encode(parameters, rows(x, part), { ...own, part: whole, again });
  const { features, auxiliary, map } = encoded;
  return { features, ...(auxiliary && { auxiliary: [...auxiliary] }), ...(map && { map }) };
}

/** Rows `from` .. `to - 1`. */
function rows(x: Tensor, { from, to }: Part): Tensor {
  return slice(x, [from, ...x.shape.slice(1).map(() => 0)], [to - from, ...x.shape.slice(1)]);
}

function accumulate(found: Map<string, Tensor>, name: string, gradient: Tensor): void {
  const before = found.get(name);
  if (!before) {
    found.set(name, gradient);
    return;
  }
  found.set(name, add(before, gradient));
  before.dispose();
  gradient.dispose();
}
