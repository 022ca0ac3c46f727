/**
 * Our side of `npm run bench:train`: one model, some training steps or forward passes, a line of JSON.
 *
 *   node ours.mjs MODEL train|forward STEPS FOLDER [--prepare]      # --prepare writes weights and data for the peers
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nn from '../../dist/pipeline/nn/index.js';
import { Random } from '../../dist/pipeline/random.js';
import * as t from '../../dist/pipeline/tensor/index.js';
import { MODELS } from './models.mjs';

const [name, what, steps, folder, prepare] = process.argv.slice(2);
const WARM = 2;
const spec = MODELS[name];
const info = await t.openBackend({ backend: process.env.STORMREEL_BACKEND });
const random = Random.from(7);
const start = spec.init(random);
const file = (part) => join(folder, `${name}-${part}.f32`);

if (prepare) {
  const own = Random.from(11);
  const numbers = (count) => Float32Array.from({ length: count }, () => own.normal());
  const size = (shape) => shape.reduce((a, b) => a * b, 1);
  writeFileSync(file('x'), numbers(size(spec.x)));
  writeFileSync(
    file('y'),
    Float32Array.from({ length: size(spec.y) }, (_, i) => i % 2),
  );
  const all = t.leaves(start).filter(({ name: leaf }) => !nn.isMoving(leaf));
  writeFileSync(file('weights'), Buffer.concat(all.map(({ tensor }) => bytes(tensor.dataSync()))));
  writeFileSync(
    join(folder, `${name}-weights.json`),
    JSON.stringify(all.map(({ name: leaf, tensor }) => [leaf, tensor.shape])),
  );
  console.log(JSON.stringify({ prepared: all.length }));
  process.exit();
}

const floats = (part) => {
  const { buffer, byteOffset, length } = readFileSync(file(part));
  return new Float32Array(buffer.slice(byteOffset, byteOffset + length));
};
const [x, y] = [t.tensor(floats('x'), spec.x), t.tensor(floats('y'), spec.y)];
const moving = t.leaves(start).filter(({ name: leaf }) => nn.isMoving(leaf));
const trained = t.treeFrom(t.leaves(start).filter(({ name: leaf }) => !nn.isMoving(leaf)));
const joined = (tree) => t.treeFrom([...t.leaves(tree), ...moving]);
const optimiser = t.adamW(trained, { weightDecay: 0 });
const mode = { training: true, random: null };

const times = [];
let first = null;
let tensors = 0;
for (let step = 0; step < Number(steps) + WARM; step++) {
  const began = performance.now();
  const loss = what === 'train' ? train() : forward();
  if (step >= WARM) times.push(performance.now() - began);
  if (step === WARM) tensors = t.tensorCount();
  first ??= loss;
}
console.log(
  JSON.stringify({
    backend: info.name,
    medianMs: times.sort((a, b) => a - b)[times.length >> 1],
    first,
    tensorsKept: t.tensorCount() - tensors,
    peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
);

function train() {
  const { loss, gradients } = t.valueAndGradients(optimiser.parameters, (p) => ({
    loss: lossOf(spec.apply(joined(p), x, mode)),
  }));
  optimiser.step(gradients, 1e-3);
  t.dispose(gradients);
  return loss;
}

function forward() {
  const total = t.tidy(() => t.mean(spec.apply(joined(optimiser.parameters), x, nn.EVALUATION)));
  const [value] = total.dataSync();
  total.dispose();
  return value;
}

/** Mean binary cross-entropy of logits in the shape of y. */
function lossOf(logits) {
  return t.mean(t.sub(t.softplus(logits), t.mul(logits, y)));
}

function bytes({ buffer, byteOffset, byteLength }) {
  return Buffer.from(buffer, byteOffset, byteLength);
}
