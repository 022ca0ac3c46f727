/** The cheapest test of a model and its labels: it must learn eight sequences by heart. */
import { centreCells } from '../labels/index.js';
import { EVALUATION } from '../nn/index.js';
import { Random } from '../random.js';
import { dispose, openBackend, tidy } from '../tensor/index.js';
import { type BatchSource, makeBatch } from './batch.js';
import { type FitInput, prepare } from './fit.js';
import { frameTensors } from './frames.js';
import { startValues } from './initial.js';
import { machineMemory, planStep } from './memory.js';
import { type LossInput, stepLoss } from './step.js';
import { trainer } from './trainer.js';

const SEQUENCES = 8;
const STEPS = 600;
const LOOK_EVERY = 20;

export interface Sanity {
  /** Share of the frames that are labelled right, 0 to 1. */
  accuracy: number;
  /** Updates it took. */
  steps: number;
  frames: number;
  positives: number;
}

/** Overfits eight windows (half of them with a storm, where there are any) without dropout, noise or decay. */
export async function sanity(input: FitInput): Promise<Sanity> {
  const { name: backend } = await openBackend();
  const plain: FitInput = {
    ...input,
    model: { ...input.model, encoder: { ...input.model.encoder, dropout: 0 } },
    training: {
      ...input.training,
      loss: 'bce',
      accumulate: 1,
      weightDecay: 0,
      noise: 0,
      mirror: false,
      shift: 0,
      warmup: 0.02,
    },
  };
  const { model, channels, source, balance, initial } = await prepare(plain);
  const batch = makeBatch(source, chooseWindows(source, input.training.seed));
  const frames = await frameTensors(input.store, channels, {
    frames: [...new Set(batch.frames)].sort((a, b) => a - b),
    atOnce: batch.frames.length,
  });
  const { plan } = planStep({
    model,
    training: { ...plain.training, batch: batch.batch },
    memoryBytes: input.memoryBytes ?? machineMemory(backend),
  });
  const random = Random.from(input.training.seed).key('init');
  const { start } = startValues(model, { random, logit: 0, initial, member: 0 });
  const run = trainer({
    model,
    training: plain.training,
    seed: input.training.seed,
    steps: STEPS,
    plan,
    start,
    centres: centreCells(input.store, input.labels),
    imbalance: { ...balance, positiveWeight: 1 },
    noise: new Float32Array(model.shape.channels),
  });
  const x = await frames.take(batch.frames);
  const judged = {
    model,
    batch,
    x,
    centres: new Int32Array(batch.frames.length).fill(-1),
    training: plain.training,
    positiveWeight: 1,
    mode: EVALUATION,
  };
  const positives = batch.label.reduce((sum, label, i) => sum + label * batch.mask[i], 0);
  let [accuracy, step] = [0, 0];
  try {
    while (step < STEPS && accuracy < 1) {
      input.signal?.throwIfAborted();
      const { loss } = run.step(batch, x, step++);
      input.onProgress?.({
        stage: 'sanity',
        done: step,
        total: STEPS,
        unit: 'steps',
        note: `loss ${loss.toFixed(3)}`,
      });
      if (step % LOOK_EVERY === 0) accuracy = accuracyOf({ ...judged, parameters: run.parameters() });
    }
  } finally {
    x.dispose();
    run.dispose();
    dispose(start);
    await frames.close();
  }
  return { accuracy, steps: step, frames: batch.count, positives };
}

/** Windows at random, the first half with a storm frame in them, the rest without; filled up from the other kind. */
function chooseWindows(source: BatchSource, seed: number): number[] {
  const { windows, timeline, labels } = source;
  const order = Random.from(seed).key('sanity').permutation(windows.length);
  const kinds: [storm: number[], calm: number[]] = [[], []];
  for (const i of order) {
    const { start, length } = windows.at(i);
    const frames = Array.from({ length }, (_, k) => timeline.frame(start + k));
    kinds[frames.some((frame) => frame >= 0 && labels.label[frame] === 1) ? 0 : 1].push(i);
  }
  const storms = kinds[0].slice(0, Math.max(SEQUENCES / 2, SEQUENCES - kinds[1].length));
  return [...storms, ...kinds[1].slice(0, SEQUENCES - storms.length)];
}

function accuracyOf(input: LossInput): number {
  const logits = tidy(() => stepLoss(input).logits);
  const values = logits.dataSync();
  logits.dispose();
  const { label, mask, count } = input.batch;
  let right = 0;
  for (let i = 0; i < mask.length; i++) if (mask[i] === 1 && values[i] > 0 === (label[i] === 1)) right++;
  return right / count;
}
