/** What a recurrent model would say without recurrence: the same encoder trained with every frame alone. */
import { dispose } from '../../tensor/index.js';
import { fitModel, type TrainedModel } from '../../training/index.js';
import type { LabelWithInput } from '../run.js';
import { predictFrames } from '../stream.js';
import { keptLogits } from './kept.js';

/** Logits of all frames; null for a model without recurrence, and when the config does not want this rung. */
export async function perFrameLogits(
  input: LabelWithInput,
  trained: TrainedModel,
): Promise<Float32Array | null> {
  const { store, labels, split, config, runDir, onProgress, signal } = input;
  if (trained.config.head.kind === 'none' || !config.labelling.perFrameRung) return null;
  const model = { ...trained.config, head: { kind: 'none' as const } };
  const { training, backend } = trained;
  const kept = keptLogits(runDir, { model, training, backend, perFrame: true });
  const known = await kept.recall(split);
  if (known?.length === store.index.length) return known;
  const alone = await fitModel({ store, labels, split, model, training, onProgress, signal });
  const { logit } = await predictFrames(alone, store, undefined, { signal });
  for (const member of alone.members) dispose(member);
  await kept.remember(split, logit);
  return logit;
}
