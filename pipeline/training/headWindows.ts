/** The head over windows of features that lie outside the backend. */
import { seasonFeatures } from '../channels/index.js';
import type { Model } from '../models/index.js';
import { EVALUATION } from '../nn/index.js';
import { type ParameterTree, tensor, tidy } from '../tensor/index.js';
import { SEASON } from './batch.js';

export interface HeadWindow {
  /** In order, at most as many as the window is long; features undefined for a bad frame. */
  frames: readonly { time: number; features: Float32Array | undefined }[];
}

/** Logits `[windows, time]` from a state of zero; windows that are shorter are padded in front. */
export function headLogits(
  model: Model,
  member: ParameterTree,
  windows: readonly HeadWindow[],
  time: number,
): Float32Array {
  const [count, size] = [windows.length, model.featureCount];
  const features = new Float32Array(count * time * size);
  const valid = new Float32Array(count * time);
  const season = model.shape.season > 0 ? new Float32Array(count * time * SEASON) : null;
  for (const [w, { frames }] of windows.entries())
    for (const [k, frame] of frames.entries()) {
      const at = w * time + time - frames.length + k;
      season?.set(seasonFeatures(frame.time), at * SEASON);
      if (!frame.features) continue;
      features.set(frame.features, at * size);
      valid[at] = 1;
    }
  const logits = tidy(() => {
    const inputs = {
      features: tensor(features, [count, time, size]),
      valid: tensor(valid, [count, time]),
      season: season && tensor(season, [count, time, SEASON]),
      state: null,
    };
    return model.head(member, inputs, EVALUATION).logits;
  });
  const values = logits.dataSync() as Float32Array;
  logits.dispose();
  return values;
}
