/** AdamW in plain operations, for every backend. */
import { type Tensor, tf } from '../backend/tfjs.js';
import { clone, dispose, leaves, mapTree, type ParameterTree, type StoredTensor } from '../tree.js';
import type { AdamOptions, Optimizer } from './adamw.js';

interface Moments {
  m: Tensor;
  v: Tensor;
}

export function portableAdamW<Tree extends ParameterTree>(
  initial: Tree,
  options: Required<AdamOptions>,
): Optimizer<Tree> {
  let parameters = clone(initial);
  let steps = 0;
  let moments = new Map(leaves(initial).map(({ name, tensor }) => [name, zeroMoments(tensor)]));

  return {
    get parameters() {
      return parameters;
    },
    step(gradients, learningRate = options.learningRate) {
      steps++;
      const byName = new Map(leaves(gradients).map(({ name, tensor }) => [name, tensor]));
      const before = parameters;
      parameters = mapTree(before, (tensor, name) => {
        const gradient = byName.get(name);
        if (!gradient) return tf.clone(tensor);
        const next = tf.tidy(() =>
          update(tensor, gradient, moments.get(name)!, steps, {
            ...options,
            learningRate: learningRate * options.rate(name),
            weightDecay: options.decays(name) ? options.weightDecay : 0,
          }),
        );
        dispose({ ...moments.get(name)! });
        moments.set(name, { m: next.m, v: next.v });
        return next.parameter;
      });
      dispose(before);
    },
    state: () => ({ step: steps, first: read(moments, 'm'), second: read(moments, 'v') }),
    restore({ step, first, second }) {
      steps = step;
      for (const pair of moments.values()) dispose({ ...pair });
      moments = new Map(
        [...moments.keys()].map((name) => [name, { m: write(first, name), v: write(second, name) }]),
      );
    },
    assign(values) {
      const before = parameters;
      parameters = clone(values);
      dispose(before);
    },
    dispose() {
      dispose(parameters);
      for (const pair of moments.values()) dispose({ ...pair });
    },
  };
}

function update(
  parameter: Tensor,
  gradient: Tensor,
  { m, v }: Moments,
  steps: number,
  { learningRate, beta1, beta2, epsilon, weightDecay }: Required<AdamOptions>,
) {
  const first = tf.add(tf.mul(m, beta1), tf.mul(gradient, 1 - beta1));
  const second = tf.add(tf.mul(v, beta2), tf.mul(tf.square(gradient), 1 - beta2));
  const alpha = (learningRate * Math.sqrt(1 - beta2 ** steps)) / (1 - beta1 ** steps);
  const decayed = weightDecay ? tf.mul(parameter, 1 - learningRate * weightDecay) : parameter;
  const move = tf.div(tf.mul(first, alpha), tf.add(tf.sqrt(second), epsilon));
  return { parameter: tf.sub(decayed, move), m: first, v: second };
}

const zeroMoments = (tensor: Tensor): Moments => ({ m: tf.zerosLike(tensor), v: tf.zerosLike(tensor) });

function read(moments: Map<string, Moments>, which: 'm' | 'v'): Map<string, StoredTensor> {
  return new Map(
    [...moments].map(([name, pair]) => [
      name,
      { shape: [...pair[which].shape], values: Float32Array.from(pair[which].dataSync()) },
    ]),
  );
}

function write(stored: Map<string, StoredTensor>, name: string): Tensor {
  const { shape, values } = stored.get(name)!;
  return tf.tensor(values, shape, 'float32');
}
