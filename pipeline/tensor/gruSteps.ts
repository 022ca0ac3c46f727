/**
 * The recurrence of a GRU (Cho et al. 2014, reset after the product: Keras, cuDNN) as one operation with its gradient written
 * out: a third of the calls that a record of single operations makes, which are what a small model's step consists of.
 */
import { type Tensor, tf } from './backend/tfjs.js';
import { matMul } from './operations.js';

export interface GruSteps {
  /** xW + b_i, `[batch, time, 3 units]`, gates z, r, h. */
  projected: Tensor;
  /** U `[units, 3 units]` and b_r `[3 units]`. */
  recurrent: Tensor;
  bias: Tensor;
  /** `[batch, units]` */
  state: Tensor;
  /** `[batch, time]` of 0 and 1, a constant; a 0 leaves the state as it is. */
  mask: Tensor | null;
  /** From the last step to the first. */
  backwards?: boolean;
}

/** What the gradient needs of a step. */
interface Step {
  before: Tensor;
  gates: Tensor;
  inner: Tensor;
  candidate: Tensor;
}

/** The state after every step, in input order: `[batch, time, units]`. */
export function gruSteps({ projected, recurrent, bias, state, mask, backwards = false }: GruSteps): Tensor {
  const time = projected.shape[1]!;
  const order = Array.from({ length: time }, (_, k) => (backwards ? time - 1 - k : k));
  const run = tf.customGrad((...args: unknown[]) => {
    const [p, u, b, h0, save] = args as [Tensor, Tensor, Tensor, Tensor, (tensors: Tensor[]) => void];
    const [inputs, masks] = [steps(p), mask && maskSteps(mask)];
    const outputs = new Array<Tensor>(time);
    const kept: Step[] = [];
    let h = h0;
    for (const t of order) {
      const step = forward(inputs[t], h, u, b);
      kept.push(step.kept);
      h = masks ? tf.add(h, tf.mul(masks[t], tf.sub(step.after, h))) : step.after;
      outputs[t] = h;
    }
    save([
      u,
      ...(mask ? [mask] : []),
      ...kept.flatMap(({ before, gates, inner, candidate }) => [before, gates, inner, candidate]),
    ]);
    return {
      value: tf.stack(outputs, 1),
      gradFunc: (dy: Tensor, [saved, ...rest]: Tensor[]) => {
        const savedMask = mask ? rest.shift()! : null;
        const taken = order.map((t, k) => ({ t, step: unpack(rest, k) }));
        return gradient(dy, saved, taken, savedMask);
      },
    };
  });
  return run(projected, recurrent, bias, state);
}

const unpack = (saved: Tensor[], k: number): Step => {
  const [before, gates, inner, candidate] = saved.slice(4 * k, 4 * k + 4);
  return { before, gates, inner, candidate };
};

/** h' = z h + (1 - z) h~ */
function forward(projected: Tensor, before: Tensor, recurrent: Tensor, bias: Tensor) {
  const [batch, units] = before.shape as [number, number];
  const product = tf.add(matMul(before, recurrent), bias); // [batch, 3U]
  const [gatesIn, candidateIn] = [slice(projected, 0, 2 * units), slice(projected, 2 * units, units)];
  const gates = tf.sigmoid(tf.add(gatesIn, slice(product, 0, 2 * units)));
  const inner = slice(product, 2 * units, units);
  const candidate = tf.tanh(tf.add(candidateIn, tf.mul(slice(gates, units, units), inner)));
  const update = tf.slice(gates, [0, 0], [batch, units]);
  const after = tf.add(candidate, tf.mul(update, tf.sub(before, candidate)));
  return { after, kept: { before, gates, inner, candidate } };
}

/** Back through the steps; the products with the recurrent kernel are summed by one product at the end. */
function gradient(
  dy: Tensor,
  recurrent: Tensor,
  taken: readonly { t: number; step: Step }[],
  mask: Tensor | null,
): Tensor[] {
  const [dOut, masks] = [steps(dy), mask && maskSteps(mask)];
  const units = recurrent.shape[0]!;
  const dProjected = new Array<Tensor>(taken.length);
  const dProducts: Tensor[] = [];
  let dh: Tensor | null = null;
  for (const { t, step } of [...taken].reverse()) {
    const { before, gates, inner, candidate } = step;
    const all: Tensor = dh ? tf.add(dOut[t], dh) : dOut[t];
    const d: Tensor = masks ? tf.mul(masks[t], all) : all;
    const [update, reset] = [slice(gates, 0, units), slice(gates, units, units)];
    const carried = tf.mul(d, update);
    const dCandidate = tf.sub(d, carried);
    const dTanh = tf.sub(dCandidate, tf.mul(dCandidate, tf.square(candidate)));
    const dGates = tf.concat([tf.mul(d, tf.sub(before, candidate)), tf.mul(dTanh, inner)], 1);
    const dSigmoid = tf.mul(dGates, tf.sub(gates, tf.square(gates)));
    dProjected[t] = tf.concat([dSigmoid, dTanh], 1);
    const dProduct = tf.concat([dSigmoid, tf.mul(dTanh, reset)], 1);
    dProducts.push(dProduct);
    const back: Tensor = tf.add(carried, matMul(dProduct, recurrent, false, true));
    dh = masks ? tf.add(back, tf.sub(all, d)) : back;
  }
  const products = tf.concat(dProducts, 0); // [time * batch, 3U]
  const states = tf.concat(
    [...taken].reverse().map(({ step }) => step.before),
    0,
  ); // [time * batch, U]
  return [tf.stack(dProjected, 1), matMul(states, products, true), tf.sum(products, 0), dh!];
}

const slice = (x: Tensor, from: number, size: number): Tensor => tf.slice(x, [0, from], [x.shape[0]!, size]);

/** time x `[batch, n]` */
function steps(x: Tensor): Tensor[] {
  return x.shape[1] === 1 ? [tf.squeeze(x, [1])] : tf.unstack(x, 1);
}

/** time x `[batch, 1]` */
const maskSteps = (mask: Tensor): Tensor[] => steps(tf.reshape(mask, [...mask.shape, 1]));
