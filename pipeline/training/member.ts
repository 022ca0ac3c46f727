/** The run of one ensemble member, from start values to the parameters that are kept. */
import type { TrainingConfig } from '../../schemas/config/index.js';
import type { Model } from '../models/index.js';
import type { OnProgress } from '../progress.js';
import { hash32, Random } from '../random.js';
import type { ShuffleQuality, Windows } from '../sequences/index.js';
import { clone, dispose, fillTree, type ParameterTree } from '../tensor/index.js';
import { type Batch, type BatchSource, makeBatch, sampleQuality, sampler, windowsPerStep } from './batch.js';
import { type Checkpoint, loadCheckpoint, saveCheckpoint, stored } from './checkpoint.js';
import type { FrameTensors } from './frames.js';
import type { StepPlan } from './gradients.js';
import { type InitialWeights, type StartReport, startValues } from './initial.js';
import { openLog } from './log.js';
import type { Imbalance } from './loss.js';
import { meter } from './meter.js';
import { trainer } from './trainer.js';

export interface MemberInput {
  model: Model;
  training: TrainingConfig;
  /** Position in the ensemble; its seed is training.seed + member. */
  member: number;
  /** Weights to start from; null for start values drawn at random. */
  initial: InitialWeights | null;
  steps: number;
  plan: StepPlan;
  /** What the plan means, for people. */
  planNote: string;
  source: BatchSource;
  windows: Windows;
  frames: FrameTensors;
  /** Frame cell of each frame's storm centre; -1 where unknown. */
  centres: Int32Array;
  imbalance: Imbalance;
  /** Standard deviation of input noise by channel. */
  noise: Float32Array;
  /** Average precision on the validation part; null where there is none. */
  evaluate: ((parameters: ParameterTree) => Promise<number | null>) | null;
  /** Folder of checkpoints; null keeps none. */
  checkpoints: string | null;
  resume: boolean;
  fingerprint: string;
  /** Path of log.jsonl; null for none. */
  logPath: string | null;
  /** Bytes of the log that earlier members wrote. */
  logBytes: number;
  /** Hears what was taken from `initial`. */
  onStart?: (report: StartReport) => void;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

/** Least time between two looks at the event loop, so that signals and progress get through. */
const YIELD_MS = 50;

export interface TrainedMember {
  /** The caller's to free. */
  parameters: ParameterTree;
  /** Bytes of the log up to this member's end. */
  logBytes: number;
}

/** Trains a member or goes on from its checkpoint. */
export async function trainMember(input: MemberInput): Promise<TrainedMember> {
  const { model, training, member, steps, windows, frames, evaluate, checkpoints, fingerprint, signal } =
    input;
  const seed = training.seed + member;
  const { startLogit: logit } = input.imbalance;
  const { initial } = input;
  const { start, report: said } = startValues(model, {
    random: Random.from(seed).key('init'),
    logit,
    initial,
    member,
  });
  if (said) input.onStart?.(said);
  const from = checkpoints && input.resume ? await loadCheckpoint(checkpoints, member, fingerprint) : null;
  if (from?.progress.finished) return finished(start, from);
  const log = openLog(input.logPath, from?.progress.logBytes ?? input.logBytes);
  const run = trainer({
    ...input,
    time: input.source.index.time,
    seed,
    start: from ? fillTree(start, from.parameters) : start,
  });
  const best = new Best(start, from);
  if (from) run.restore(from.optimiser, from.progress.step);
  const drawn = {
    seed,
    batch: windowsPerStep(training),
    stride: training.windowStride,
    ringFrames: frames.ringFrames,
  };
  const sample = sampler(windows, drawn);
  const epochOf = (step: number) => Math.floor((step * windowsPerStep(training)) / windows.length);
  const batchOf = (step: number) => makeBatch(input.source, sample(step));
  let speed = meter();
  const save = async (step: number, done: boolean) => {
    if (!checkpoints) return;
    const progress = {
      fingerprint,
      step,
      finished: done,
      best: best.ap,
      waited: best.waited,
      logBytes: log.bytes(),
    };
    const parameters = await stored(done ? best.orElse(run.parameters()) : run.parameters());
    const kept = done || !best.parameters ? null : await stored(best.parameters);
    await saveCheckpoint(checkpoints, member, {
      progress,
      parameters,
      best: kept,
      optimiser: done ? new Map() : run.optimiser(),
    });
  };
  try {
    let yielded = performance.now();
    let step = from?.progress.step ?? 0;
    let note = '';
    if (step < steps) reportOrder(input, step, sampleQuality(windows, drawn));
    let batch = step < steps ? batchOf(step) : null;
    while (batch) {
      if (signal?.aborted) {
        await save(step, false);
        signal.throwIfAborted();
      }
      const wanted = batch.frames;
      const x = await speed.waiting(() => frames.take(wanted));
      const following: Batch | null = step + 1 < steps ? batchOf(step + 1) : null;
      if (following) frames.ahead(following.frames);
      const { loss, learningRate, gradientNorm } = run.step(batch, x, step);
      x.dispose();
      speed.frames(batch.frames.length);
      step++;
      const due = evaluate && (step % training.evaluateEvery === 0 || step === steps);
      const ap = due ? await evaluate(run.parameters()) : undefined;
      // Without patience the steps are fixed and the last parameters count: choosing among them would fit the validation part.
      if (due && training.patience !== undefined) best.offer(ap ?? null, run.parameters());
      log.write({
        member,
        step,
        epoch: epochOf(step - 1),
        loss,
        learningRate,
        gradientNorm,
        ...speed.rates(),
        order: hash32(batch.starts.join(',')).toString(16).padStart(8, '0'),
        ...(due ? { validationAp: ap ?? null } : {}),
      });
      batch = following;
      if (due) note = ap === null || ap === undefined ? '' : ` AP ${ap.toFixed(3)}`;
      const now = performance.now();
      if (now - yielded > YIELD_MS || step === steps) {
        report(input, step, loss, note, speed.rates());
        yielded = now;
        await new Promise(setImmediate);
      }
      if (epochOf(step) > epochOf(step - 1)) speed = meter(); // told epoch by epoch
      if (training.patience !== undefined && best.waited >= training.patience) break;
      if (step % training.checkpointEvery === 0 && step < steps) await save(step, false);
    }
    await save(step, true);
    return { parameters: clone(best.orElse(run.parameters())), logBytes: log.bytes() };
  } finally {
    log.close();
    run.dispose();
    best.dispose();
    dispose(start);
  }
}

/** Says before the first step how the gradient is made, and how well the windows are mixed: streamed reading mixes a part of them at a time. */
function reportOrder(
  { onProgress, member, steps, training, planNote }: MemberInput,
  step: number,
  { correlation, spread }: ShuffleQuality,
): void {
  onProgress?.({
    stage: 'train',
    done: member * steps + step,
    total: training.ensemble * steps,
    unit: 'steps',
    note: `${planNote}; order: neighbours ${spread.toFixed(2)} of a perfect shuffle apart, correlation ${correlation.toFixed(2)}`,
  });
}

function report(
  { onProgress, member, steps, training }: MemberInput,
  step: number,
  loss: number,
  note: string,
  { framesPerSecond, waiting }: { framesPerSecond: number; waiting: number },
): void {
  const which = training.ensemble > 1 ? `member ${member + 1}/${training.ensemble}, ` : '';
  const text = `${which}loss ${loss.toFixed(3)}${note}, ${Math.round(framesPerSecond)} frames/s, waiting ${Math.round(waiting * 100)} %`;
  onProgress?.({
    stage: 'train',
    done: member * steps + step,
    total: training.ensemble * steps,
    unit: 'steps',
    note: text,
  });
}

function finished(start: ParameterTree, { parameters, progress }: Checkpoint): TrainedMember {
  const tree = fillTree(start, parameters);
  dispose(start);
  return { parameters: tree, logBytes: progress.logBytes };
}

/** The parameters of the best evaluation so far. */
class Best {
  ap: number | null;
  /** Evaluations since the best one. */
  waited: number;
  parameters: ParameterTree | null;

  constructor(like: ParameterTree, from: Checkpoint | null) {
    this.ap = from?.progress.best ?? null;
    this.waited = from?.progress.waited ?? 0;
    this.parameters = from?.best ? fillTree(like, from.best) : null;
  }

  offer(ap: number | null, parameters: ParameterTree): void {
    if (ap === null || (this.ap !== null && ap <= this.ap)) {
      this.waited++;
      return;
    }
    if (this.parameters) dispose(this.parameters);
    [this.ap, this.waited, this.parameters] = [ap, 0, clone(parameters)];
  }

  orElse(parameters: ParameterTree): ParameterTree {
    return this.parameters ?? parameters;
  }

  dispose(): void {
    if (this.parameters) dispose(this.parameters);
  }
}
