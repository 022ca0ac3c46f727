/** Scores of a few frames among their context, with features carried from one call to the next: live maps. */
import { segments } from '../sequences/index.js';
import type { FrameStore } from '../shards/index.js';
import { someFrames } from '../shards/index.js';
import { assertFits } from '../training/index.js';
import { conformalP } from './conformal.js';
import { frameFeatures } from './features.js';
import type { AnomalyModel } from './record.js';
import { windowScores } from './score.js';
import { endingWindows } from './windows.js';

/** `[count]` features of frames that were read before; null where the frame has none. */
export interface CarriedAnomaly {
  get(frame: number): Float32Array | null | undefined;
  /** Called for every frame that is read. */
  set(frame: number, features: Float32Array | null): void;
}

/** Aligned with the frames asked for; NaN where a frame has no score. */
export interface SomeScores {
  score: Float64Array;
  p: Float64Array;
}

/**
 * Scores `frames` (indices into `store`, ascending); the windows that end at them must lie in the store. A backend must
 * be open. ModelMismatchError when the store has other bands or another grid than the model.
 */
export async function scoreSome(
  model: AnomalyModel,
  store: FrameStore,
  frames: Uint32Array,
  carried: CarriedAnomaly,
  { signal }: { signal?: AbortSignal } = {},
): Promise<SomeScores> {
  assertFits(model, store);
  const { index, description } = store;
  const { count } = model.components;
  await readFeatures(model, store, carried, signal);
  const values = new Float32Array(index.length * count);
  const there = new Uint8Array(index.length);
  for (let frame = 0; frame < index.length; frame++) {
    const own = index.ok[frame] === 1 ? carried.get(frame) : null;
    if (!own) continue;
    values.set(own, frame * count);
    there[frame] = 1;
  }
  const ending = endingWindows(segments(index, description.stepMs), index.length, model.config.windowLength);
  const wanted = frames.filter((frame) => there[frame] === 1);
  const all = await windowScores(model, { ending, values, there, frames: wanted, signal });
  const score = Float64Array.from(frames, (frame) => all[frame]);
  const p = score.map((s) => conformalP(s, model.calibration.scores) ?? Number.NaN);
  return { score, p };
}

/** Reads what is not carried yet. */
async function readFeatures(
  model: AnomalyModel,
  store: FrameStore,
  carried: CarriedAnomaly,
  signal?: AbortSignal,
): Promise<void> {
  const { index, description } = store;
  const missing = [...Array(index.length).keys()].filter(
    (frame) => index.ok[frame] === 1 && carried.get(frame) === undefined,
  );
  if (missing.length === 0) return;
  const named = missing.map((frame) => ({
    frame,
    series: index.seriesNames[index.series[frame]],
    time: index.time[frame],
    ok: true,
  }));
  const part = someFrames(description, named, (wanted, out) =>
    store.read(
      wanted.map(({ frame }) => frame),
      out,
    ),
  );
  const { values, norm } = await frameFeatures(part.store, model, { signal });
  const { count } = model.components;
  part.frames.forEach(({ frame }, i) => {
    const usable = Number.isFinite(norm[i]);
    carried.set(frame, usable ? values.slice(i * count, (i + 1) * count) : null);
  });
}
