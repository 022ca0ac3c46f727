/**
 * Reverse-mode gradients that free as they go. TensorFlow.js records the forward pass; its own backward pass
 * keeps every saved activation until the end. This one walks the record itself and frees each node's
 * activations and incoming gradients as soon as they were used, which halves the peak memory of a deep network.
 */
import { type Tensor, tf } from '../backend/tfjs.js';
import { leaves, mapTree, type ParameterTree } from '../tree.js';

/** One recorded kernel of TensorFlow.js' engine (tape.d.ts of tfjs-core). */
interface TapeNode {
  id: number;
  kernelName: string;
  inputs: Record<string, Tensor | Tensor[]>;
  outputs: Tensor[];
  saved?: Tensor[];
  gradient?: (dys: (Tensor | null)[]) => Record<string, () => Tensor>;
}
interface Engine {
  startTape(): void;
  endTape(): void;
  state: { activeTape: TapeNode[] | null; gradientDepth: number; kernelDepth: number };
}
export interface Differentiated<Tree, A> {
  /** Value of the scalar. */
  loss: number;
  /** What `f` gave besides; its tensors are the caller's to free. */
  aux: A;
  /** In the form of the parameters, to be freed by the caller; null where no path leads from leaf to loss. */
  gradients: Tree;
}

/**
 * Value and gradients of the scalar `f(parameters).loss`. All tensors made in `f` are freed but those in `aux`.
 * May be called inside a gradient function (see checkpoint.ts). A leaf without a path to the loss has gradient null.
 */
export function valueAndGradients<Tree extends ParameterTree, A = undefined>(
  parameters: Tree,
  f: (parameters: Tree) => { loss: Tensor; aux?: A },
): Differentiated<Tree, A> {
  const { output, aux, tape } = record(() => {
    const { loss, aux } = f(parameters);
    return { output: [loss], aux };
  });
  const [loss] = output;
  const value = loss.dataSync()[0];
  const sources = leaves(parameters).map(({ tensor }) => tensor);
  const found = backward(tape, sources, [loss], [tf.onesLike(loss)]);
  if (!sources.includes(loss) && !holds(aux, loss)) loss.dispose();
  let next = 0;
  const gradients = mapTree(parameters, () => found[next++] as Tensor);
  return { loss: value, aux: aux as A, gradients };
}

let peak: number | null = null;

/** Called where most tensors are alive. */
function look(): void {
  if (peak !== null) peak = Math.max(peak, tf.memory().numBytes);
}

/** Most bytes of tensors alive at once in the gradients that `f` computes, less those from before. */
export function peakTensorBytes<A>(f: () => A): { result: A; bytes: number } {
  const before = tf.memory().numBytes;
  peak = before;
  try {
    const result = f();
    return { result, bytes: (peak ?? before) - before };
  } finally {
    peak = null;
  }
}

/** Runs `f` without a record of its kernels: what it returns is a constant to every gradient. */
export function withoutTape<A>(f: () => A): A {
  const { state } = tf.engine() as unknown as Engine;
  const depth = state.gradientDepth;
  state.gradientDepth = 0;
  try {
    return f();
  } finally {
    state.gradientDepth = depth;
  }
}

export interface Recording<A> {
  output: Tensor[];
  aux: A | undefined;
  tape: TapeNode[];
}

/** Runs `f` and keeps a record of its kernels; only its results and what the record saved stay alive. */
export function record<A>(f: () => { output: Tensor[]; aux?: A }): Recording<A> {
  const engine = tf.engine() as unknown as Engine;
  const { activeTape, gradientDepth, kernelDepth } = engine.state;
  // Inside a gradient function the engine counts itself as within a kernel and would record nothing.
  engine.state.kernelDepth = 0;
  engine.state.gradientDepth = 0;
  engine.startTape();
  try {
    const result = tf.tidy((() => {
      const found = f();
      look();
      return found;
    }) as () => never) as { output: Tensor[]; aux?: A };
    return { output: result.output, aux: result.aux, tape: engine.state.activeTape! };
  } catch (error) {
    for (const node of engine.state.activeTape ?? []) for (const saved of node.saved ?? []) saved.dispose();
    throw error;
  } finally {
    engine.endTape();
    engine.state.activeTape = activeTape;
    engine.state.gradientDepth = gradientDepth;
    engine.state.kernelDepth = kernelDepth;
  }
}

/** Gradients of `outputs` (weighted by `seeds`, which are consumed) for each of `sources`; frees the record. */
export function backward(
  tape: TapeNode[],
  sources: Tensor[],
  outputs: Tensor[],
  seeds: Tensor[],
): (Tensor | null)[] {
  const useful = pathNodes(tape, sources, outputs);
  for (const node of tape) if (!useful.has(node)) release(node);
  const gradients = new Map<number, Tensor>();
  outputs.forEach((output, i) => {
    accumulate(gradients, output.id, seeds[i]);
  });
  const wanted = new Set(sources.map((tensor) => tensor.id));
  for (let i = tape.length - 1; i >= 0; i--) {
    if (useful.has(tape[i])) step(tape[i], gradients, useful.get(tape[i])!, wanted);
    tape[i] = undefined as never; // let go of its tensors
  }
  const found = sources.map((tensor) => gradients.get(tensor.id) ?? null);
  for (const [id, gradient] of gradients) if (!wanted.has(id)) gradient.dispose();
  return found;
}

/** Nodes between sources and outputs, each with the names of the inputs that need a gradient. */
function pathNodes(tape: TapeNode[], sources: Tensor[], outputs: Tensor[]): Map<TapeNode, string[]> {
  const reached = new Set(sources.map((tensor) => tensor.id));
  const downstream = new Map<TapeNode, string[]>();
  for (const node of tape) {
    const names = Object.keys(node.inputs).filter((name) =>
      [node.inputs[name]].flat().some((tensor) => reached.has(tensor.id)),
    );
    // Comparisons and indices carry no gradient.
    if (!names.length || node.outputs.every(({ dtype }) => dtype !== 'float32')) continue;
    downstream.set(node, names);
    for (const output of node.outputs) reached.add(output.id);
  }
  const needed = new Set(outputs.map((tensor) => tensor.id));
  const useful = new Map<TapeNode, string[]>();
  for (let i = tape.length - 1; i >= 0; i--) {
    const names = downstream.get(tape[i]);
    if (!names || !tape[i].outputs.some((output) => needed.has(output.id))) continue;
    useful.set(tape[i], names);
    for (const name of names) for (const tensor of [tape[i].inputs[name]].flat()) needed.add(tensor.id);
  }
  return useful;
}

/** Carries the gradients of a node's outputs over to those of its inputs, then frees what it held. */
function step(node: TapeNode, gradients: Map<number, Tensor>, names: string[], wanted: Set<number>): void {
  const dys = node.outputs.map((output) => gradients.get(output.id) ?? null);
  if (dys.every((dy) => dy === null)) {
    release(node);
    return;
  }
  if (!node.gradient) {
    release(node);
    throw new Error(`no gradient is known for ${node.kernelName}`);
  }
  const made = tf.tidy(() => {
    const filled = dys.map((dy, i) => dy ?? tf.zeros(node.outputs[i].shape));
    const functions = node.gradient!(filled);
    const found = names.flatMap((name) => inputGradients(node, name, functions));
    look();
    return found;
  });
  release(node);
  for (const output of node.outputs) {
    if (wanted.has(output.id)) continue;
    gradients.get(output.id)?.dispose();
    gradients.delete(output.id);
  }
  for (const { id, gradient } of made) accumulate(gradients, id, gradient);
}

function inputGradients(node: TapeNode, name: string, functions: Record<string, () => Tensor>) {
  const input = node.inputs[name];
  if (Array.isArray(input)) {
    // Concat and Pack take lists; their functions are keyed by position.
    return input.map((tensor, i) => ({ id: tensor.id, gradient: own(functions[i]()) }));
  }
  return [{ id: input.id, gradient: own(functions[name]()) }];
}

/** A handle of our own: a gradient function may hand back its `dy` or the same tensor twice. */
const own = (tensor: Tensor): Tensor => tf.clone(tensor);

function accumulate(gradients: Map<number, Tensor>, id: number, gradient: Tensor): void {
  const before = gradients.get(id);
  if (!before) {
    gradients.set(id, gradient);
    return;
  }
  gradients.set(id, tf.add(before, gradient));
  before.dispose();
  gradient.dispose();
}

function holds(container: unknown, tensor: Tensor): boolean {
  if (container === tensor) return true;
  if (!container || typeof container !== 'object' || container instanceof tf.Tensor) return false;
  return Object.values(container).some((value) => holds(value, tensor));
}

function release(node: TapeNode): void {
  for (const tensor of node.saved ?? []) if (!tensor.isDisposed) tensor.dispose();
  node.saved = [];
}
