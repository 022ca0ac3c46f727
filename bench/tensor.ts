/**
 * Milliseconds of one training step of a 5-convolution CNN with batch norm and a GRU over 2 x 15 x 128 x 128 x 3,
 * in tensor operations only. `npx tsc -p tsconfig.json && node dist/bench/tensor.js [backend] [steps]`
 */
import { Random } from '../pipeline/random.js';
import * as t from '../pipeline/tensor/index.js';

const [BATCH, TIME, SIZE, BANDS] = [2, 15, 128, 3];
const CHANNELS = [16, 32, 64, 64, 128];
const UNITS = 64;

const backend = process.argv[2] as t.BackendName | undefined;
const steps = Number(process.argv[3] ?? 10);
const info = await t.openBackend({ backend, log: console.log });
const random = Random.from(7);
const optimizer = t.adamW(init(), { weightDecay: 1e-3 });
const x = normal([BATCH * TIME, SIZE, SIZE, BANDS], 1);
const y = t.tensor(
  Float32Array.from({ length: BATCH * TIME }, (_, i) => i % 2),
  [BATCH, TIME],
);

const times: number[] = [];
let loss = 0;
for (let i = 0; i < steps + 2; i++) {
  const started = performance.now();
  const run = t.valueAndGradients(optimizer.parameters, (p) => ({ loss: forward(p) }));
  optimizer.step(run.gradients, 1e-3);
  t.dispose(run.gradients);
  loss = run.loss;
  if (i >= 2) times.push(performance.now() - started);
}
times.sort((a, b) => a - b);
const result = {
  backend: info.name,
  threads: info.threads,
  steps,
  medianMs: Math.round(times[times.length >> 1]),
  fastestMs: Math.round(times[0]),
  maxRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
  loss,
};
console.log(JSON.stringify(result));

function init() {
  const convs = CHANNELS.map((out, i) => ({
    kernel: normal(
      [3, 3, i ? CHANNELS[i - 1] : BANDS, out],
      Math.sqrt(2 / (9 * (i ? CHANNELS[i - 1] : BANDS))),
    ),
    gamma: t.ones([out]),
    beta: t.zeros([out]),
  }));
  const features = CHANNELS[CHANNELS.length - 1];
  return {
    convs,
    gru: { kernel: normal([features, 3 * UNITS], 0.1), recurrent: normal([UNITS, 3 * UNITS], 0.1) },
    head: normal([UNITS, 1], 0.1),
  };
}

function forward(p: ReturnType<typeof init>): t.Tensor {
  let h = x;
  for (const { kernel, gamma, beta } of p.convs) {
    h = t.batchNormTraining(t.conv2d(h, kernel), { gamma, beta, epsilon: 1e-3 }).y;
    h = t.maxPool(t.relu(h), { size: 2 }); // [batch*time, size/2, size/2, channel]
  }
  const features = t.reshape(t.mean(h, [1, 2]), [BATCH, TIME, -1]);
  const frames = t.unstack(
    t.reshape(t.matMul(t.reshape(features, [BATCH * TIME, -1]), p.gru.kernel), [BATCH, TIME, -1]),
    1,
  );
  let state = t.zeros([BATCH, UNITS]);
  const logits = frames.map((input) => {
    const [iz, ir, ih] = t.split(input, 3, 1);
    const [hz, hr, hh] = t.split(t.matMul(state, p.gru.recurrent), 3, 1);
    const z = t.sigmoid(t.add(iz, hz));
    const candidate = t.tanh(t.add(ih, t.mul(t.sigmoid(t.add(ir, hr)), hh)));
    state = t.add(t.mul(z, state), t.mul(t.sub(1, z), candidate));
    return t.matMul(state, p.head); // [batch, 1]
  });
  const all = t.concat(logits, 1); // [batch, time]
  return t.mean(t.sub(t.softplus(all), t.mul(all, y)));
}

function normal(shape: number[], scale: number): t.Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  return t.tensor(
    Float32Array.from({ length: count }, () => random.normal() * scale),
    shape,
  );
}
