/** The models of a run, loaded once, and what they say of frames that have just come. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AnomalyModel, loadAnomaly, scoreSome } from '../../pipeline/anomaly/index.js';
import { ModelMismatchError } from '../../pipeline/errors.js';
import {
  applyCalibration,
  type Carry,
  carriedByMember,
  openCarry,
  predictFrames,
  priorCalibration,
  refuseBothWays,
} from '../../pipeline/labelling/index.js';
import { buildModel } from '../../pipeline/models/index.js';
import { type FrameStore, readDescription, type SomeFrame, someFrames } from '../../pipeline/shards/index.js';
import { dispose } from '../../pipeline/tensor/index.js';
import { loadProvenance, loadTrained, type TrainedModel } from '../../pipeline/training/index.js';
import type { Calibration, DatasetDescription } from '../../schemas/records/index.js';

/** A frame to label, or one before it; `of` names the bytes it is read from. */
export interface ReadFrame extends SomeFrame {
  of: string;
  wanted: boolean;
}

/** NaN: none. */
export interface Said {
  frame: ReadFrame;
  /** Calibrated log odds. */
  logit: number;
  context: number;
  score: number;
  p: number;
}

export interface LiveModels {
  trained: TrainedModel;
  calibration: Calibration;
  /** sha256 of the files of each model. */
  hashes: { model: string; anomaly: string | null };
  /** Frames that must come before a frame: the longest window less one. */
  reach: number;
  /**
   * What the models say of the wanted frames; the frames before them must be among `frames`. `read` is asked only for
   * frames of which nothing is carried.
   */
  say(
    frames: readonly ReadFrame[],
    description: DatasetDescription,
    read: (frames: ReadFrame[], out: Parameters<FrameStore['read']>[1]) => Promise<void>,
    options?: { signal?: AbortSignal },
  ): Promise<Said[]>;
  /** True where all that `say` needs of a frame is carried. */
  knows(frame: Pick<ReadFrame, 'series' | 'time' | 'of'>): boolean;
  saveCarry(): Promise<void>;
  close(): void;
}

/** Series keep this many windows, so that a frame that comes a little late finds its context. */
const WINDOWS_KEPT = 2;

/** A backend must be open. `folder`: where the carried state lies. ModelMismatchError: no model, or a damaged one. */
export async function openModels(runDir: string, folder: string): Promise<LiveModels> {
  const trained = await loadTrained(runDir);
  refuseBothWays(trained, 'watch');
  const anomaly = await anomalyOf(runDir);
  const model = await hashOf(join(runDir, 'model.json'), join(runDir, 'model.safetensors'));
  const files = ['model.json', 'model.safetensors'].map((name) => join(runDir, 'anomaly', name));
  const hashes = { model, anomaly: anomaly ? await hashOf(...files) : null };
  const { featureCount, stateSize } = buildModel(trained.config, trained.shape);
  const width = featureCount * trained.members.length;
  const [head, tail] = [join(folder, 'features.safetensors'), join(folder, 'anomaly.safetensors')];
  const features = await openCarry(width, model, head);
  const coordinates = anomaly && (await openCarry(anomaly.components.count, hashes.anomaly ?? '', tail));
  const reach = Math.max(
    stateSize > 0 ? trained.training.windowLength - 1 : 0,
    anomaly ? anomaly.config.windowLength - 1 : 0,
  );
  const calibration = trained.calibration ?? priorCalibration(trained.prior);
  return {
    trained,
    calibration,
    hashes,
    reach,
    knows: ({ series, time, of }) =>
      features.get(series, time, of) !== undefined &&
      (coordinates === null || coordinates.get(series, time, of) !== undefined),
    say: async (frames, description, read, { signal } = {}) => {
      const some = someFrames(description, frames, read);
      const wanted = Uint32Array.from([...some.frames.keys()].filter((frame) => some.frames[frame].wanted));
      const found = await predictFrames(trained, some.store, wanted, {
        carried: carriedByMember(features, some.frames, featureCount),
        signal,
      });
      const logit = applyCalibration(calibration, found.logit);
      const scores =
        anomaly && coordinates
          ? await scoreSome(anomaly, some.store, wanted, carriedOf(coordinates, some.frames), { signal })
          : null;
      for (const frame of some.frames) if (!frame.ok) forgetNumbers(frame, features, coordinates);
      return Array.from(wanted, (frame, i) => ({
        frame: some.frames[frame],
        logit: logit[i],
        context: found.context[i],
        score: scores ? scores.score[i] : Number.NaN,
        p: scores ? scores.p[i] : Number.NaN,
      }));
    },
    saveCarry: async () => {
      for (const [carry, path] of [[features, head] as const, [coordinates, tail] as const]) {
        carry?.prune(Math.max(1, WINDOWS_KEPT * (reach + 1)));
        await carry?.save(path);
      }
    },
    close: () => {
      for (const member of trained.members) dispose(member);
      if (anomaly) dispose(anomaly.parameters);
    },
  };
}

/** Null where the run has none; a damaged one is an error. */
async function anomalyOf(runDir: string): Promise<AnomalyModel | null> {
  const there = await readFile(join(runDir, 'anomaly', 'model.json')).catch(() => null);
  return there ? loadAnomaly(runDir) : null;
}

async function hashOf(...paths: string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(await readFile(path));
  return hash.digest('hex');
}

/** A bad frame has no numbers, and that is known too. */
function forgetNumbers({ series, time, of }: ReadFrame, ...carries: (Carry | null)[]): void {
  for (const carry of carries) carry?.set(series, time, of, null);
}

function carriedOf(carry: Carry, frames: readonly ReadFrame[]) {
  return {
    get: (frame: number) => carry.get(frames[frame].series, frames[frame].time, frames[frame].of),
    set: (frame: number, numbers: Float32Array | null) => {
      carry.set(frames[frame].series, frames[frame].time, frames[frame].of, numbers);
    },
  };
}

/** ModelMismatchError: a record that another model began. */
export function refuseOtherModel(
  begun: { model: string; anomaly: string | null },
  now: { model: string; anomaly: string | null },
  folder: string,
): void {
  if (begun.model === now.model && begun.anomaly === now.anomaly) return;
  const what = begun.model === now.model ? 'anomaly model' : 'model';
  throw new ModelMismatchError(`the live record in ${folder} was begun with another ${what} of this run`, {
    hint: 'begin a new record with --live FOLDER; labels of two models do not belong into one',
    fields: { folder, what },
  });
}

/** Nominal step of the dataset that the run was trained on, where it is still there. */
export async function trainedStep(runDir: string): Promise<number | null> {
  const known = await loadProvenance(runDir).catch(() => null);
  const description: DatasetDescription | null = known
    ? await readDescription(known.dataset.path).catch(() => null)
    : null;
  return description?.stepMs ?? null;
}
