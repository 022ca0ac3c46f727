/**
 * AdamW on TensorFlow's resource variables: one fused kernel a leaf and no new moment tensors, 4 to 5 times faster
 * than plain operations over hundreds of leaves.
 */
import { type Tensor, tf } from '../backend/tfjs.js';
import { attributes, nativeBackend } from '../native/execute.js';
import { dispose, leaves, mapTree, type ParameterTree, type StoredTensor } from '../tree.js';
import type { AdamOptions, Optimizer } from './adamw.js';

/** Handle of a variable inside TensorFlow. */
interface Variable {
  id: number;
  shape: number[];
}
interface Slot {
  parameter: Variable;
  first: Variable;
  second: Variable;
}

let variablesMade = 0;

export function nativeAdamW<Tree extends ParameterTree>(
  initial: Tree,
  options: Required<AdamOptions>,
): Optimizer<Tree> {
  const slots = new Map<string, Slot>();
  for (const { name, tensor } of leaves(initial)) slots.set(name, makeSlot(tensor));
  const readAll = () => mapTree(initial, (_, name) => read(slots.get(name)!.parameter));
  let parameters = readAll();
  let steps = 0;

  return {
    get parameters() {
      return parameters;
    },
    step(gradients, learningRate = options.learningRate) {
      steps++;
      // A variable whose value is still held elsewhere is copied by the update: let go of ours first.
      dispose(parameters);
      tf.tidy(() => {
        const scalarsOf = new Map<number, Tensor[]>(); // by learning rate: few
        for (const { name, tensor } of leaves(gradients)) {
          const slot = slots.get(name);
          if (!slot) continue;
          const rate = learningRate * options.rate(name);
          if (options.weightDecay && options.decays(name))
            scale(slot.parameter, 1 - rate * options.weightDecay);
          if (!scalarsOf.has(rate)) scalarsOf.set(rate, stepScalars(options, rate, steps));
          applyAdam(slot, scalarsOf.get(rate)!, tensor);
        }
      });
      parameters = readAll();
    },
    state: () => ({ step: steps, first: stored(slots, 'first'), second: stored(slots, 'second') }),
    restore({ step, first, second }) {
      steps = step;
      for (const [name, slot] of slots) {
        write(slot.first, first.get(name)!);
        write(slot.second, second.get(name)!);
      }
    },
    assign(values) {
      for (const { name, tensor } of leaves(values)) assign(slots.get(name)!.parameter, tensor);
      dispose(parameters);
      parameters = readAll();
    },
    dispose() {
      dispose(parameters);
      for (const slot of slots.values()) for (const variable of Object.values(slot)) destroy(variable);
      slots.clear();
    },
  };
}

function makeSlot(tensor: Tensor): Slot {
  const [parameter, first, second] = [0, 1, 2].map(() => makeVariable(tensor.shape));
  assign(parameter, tensor);
  tf.tidy(() => {
    for (const moment of [first, second]) assign(moment, tf.zeros(tensor.shape));
  });
  return { parameter, first, second };
}

/** beta1^t, beta2^t, learning rate, beta1, beta2, epsilon: the order of ResourceApplyAdam. */
function stepScalars({ beta1, beta2, epsilon }: AdamOptions, learningRate: number, steps: number): Tensor[] {
  const values = [beta1! ** steps, beta2! ** steps, learningRate, beta1!, beta2!, epsilon!];
  return values.map((value) => tf.scalar(value, 'float32'));
}

function applyAdam({ parameter, first, second }: Slot, scalars: Tensor[], gradient: Tensor): void {
  const { float32, bool } = attributes();
  const inputs = nativeBackend().getInputTensorIds([...scalars, gradient]);
  nativeBackend().binding.executeOp(
    'ResourceApplyAdam',
    [float32('T'), bool('use_locking', false), bool('use_nesterov', false)],
    [parameter.id, first.id, second.id, ...inputs],
    0,
  );
}

function scale(variable: Variable, factor: number): void {
  const before = read(variable);
  const after = tf.mul(before, factor);
  assign(variable, after);
  before.dispose();
  after.dispose();
}

function makeVariable(shape: number[]): Variable {
  const { float32, string, shape: shapeOf } = attributes();
  const name = `stormreel_${process.pid}_${variablesMade++}`;
  const [{ id }] = nativeBackend().binding.executeOp(
    'VarHandleOp',
    [float32('dtype'), shapeOf('shape', shape), string('container', ''), string('shared_name', name)],
    [],
    1,
  );
  return { id, shape };
}

function assign({ id }: Variable, value: Tensor): void {
  const [input] = nativeBackend().getInputTensorIds([value]);
  nativeBackend().binding.executeOp('AssignVariableOp', [attributes().float32('dtype')], [id, input], 0);
}

function read({ id }: Variable): Tensor {
  const { binding } = nativeBackend();
  const [metadata] = binding.executeOp('ReadVariableOp', [attributes().float32('dtype')], [id], 1);
  return nativeBackend().createOutputTensor(metadata);
}

function destroy({ id }: Variable): void {
  const { binding } = nativeBackend();
  binding.executeOp('DestroyResourceOp', [attributes().bool('ignore_lookup_error', true)], [id], 0);
  binding.deleteTensor(id);
}

function stored(slots: Map<string, Slot>, which: 'first' | 'second'): Map<string, StoredTensor> {
  return new Map(
    [...slots].map(([name, slot]) => {
      const tensor = read(slot[which]);
      const values = Float32Array.from(tensor.dataSync());
      tensor.dispose();
      return [name, { shape: slot[which].shape, values }];
    }),
  );
}

function write(variable: Variable, { values, shape }: StoredTensor): void {
  tf.tidy(() => assign(variable, tf.tensor(values, shape, 'float32')));
}
