/**
 * Raw logits for every frame: each frame once through the encoder, a causal head from zero over its last T frames
 * (`context: window`), one that reads both ways over overlapping windows. Calibration is applied elsewhere.
 */
import { ConfigError } from '../errors.js';
import { buildModel, type Model } from '../models/index.js';
import type { OnProgress } from '../progress.js';
import { segments } from '../sequences/index.js';
import type { FrameStore } from '../shards/index.js';
import { openBackend } from '../tensor/index.js';
import {
  assertFits,
  type CarriedFeatures,
  scoreFrames,
  streamedFrames,
  type TrainedModel,
} from '../training/index.js';
import { keepLook, type TapAttention, tapAttention } from './tapAttention.js';

export interface StreamOptions {
  /** Keep where the model looked. */
  attention?: boolean;
  /** Frames in one pass; default by memory. */
  chunk?: number;
  /** Features of frames encoded in earlier calls. */
  carried?: CarriedFeatures;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

/** Aligned with the frames asked for. */
export interface FramePredictions {
  /** Mean logit of the members, as trained; NaN for a bad frame. */
  logit: Float32Array;
  /**
   * Frames the head had seen, this one included: min(position in segment + 1, T); 1 without a recurrent head; the
   * longest window of the frame where the head reads both ways.
   */
  context: Int32Array;
  /** `[frame, height, width]` on the dataset's grid, sums to 1 a frame, 0 for bad frames; null unless asked for. */
  attention: Float32Array | null;
  /** The same by tap; null unless asked for, and for a model without taps. */
  taps: TapAttention | null;
}

/**
 * Scores `frames` (indices, ascending; default all). Frames before them in their segment serve as context and are
 * encoded too, whatever part they belong to: labelling would see them as well.
 * @throws ModelMismatchError when the dataset has other bands or another grid.
 */
export async function predictFrames(
  trained: TrainedModel,
  store: FrameStore,
  frames?: ArrayLike<number>,
  { attention = false, chunk, carried, onProgress, signal }: StreamOptions = {},
): Promise<FramePredictions> {
  assertFits(trained, store);
  await openBackend();
  const { index, description } = store;
  const model = buildModel(trained.config, trained.shape);
  const count = frames?.length ?? index.length;
  const { wanted, place } = wantedFrames(frames, index.length);
  const cells = model.shape.height * model.shape.width;
  const found: FramePredictions = {
    logit: new Float32Array(count).fill(Number.NaN),
    context: new Int32Array(count),
    attention: attention && model.looks ? new Float32Array(count * cells) : null,
    taps: attention ? tapAttention(model, count) : null,
  };
  await scoreFrames(
    {
      model,
      members: trained.members,
      frames: streamedFrames(store, trained.channels),
      index,
      segments: segments(index, description.stepMs),
      contextLength: trained.training.windowLength,
      wanted,
      chunk,
      attention,
      carried,
      signal,
      onChunk: (done, total) => onProgress?.({ stage: 'label', done, total, unit: 'frames' }),
    },
    (score) => {
      const at = place ? place[score.frame] : score.frame;
      found.logit[at] = score.logit;
      found.context[at] = score.context;
      if (!score.look) return;
      if (found.attention)
        spread(model, score.look.map, found.attention.subarray(at * cells, (at + 1) * cells));
      if (found.taps) keepLook(found.taps, score.look, at);
    },
  );
  return found;
}

/**
 * A head that reads both ways waits for frames that have not come yet.
 * @throws ConfigError saying what `doing` it cannot do.
 */
export function refuseBothWays(
  { config, shape }: Pick<TrainedModel, 'config' | 'shape'>,
  doing: string,
): void {
  if (buildModel(config, shape).causal) return;
  throw new ConfigError(`cannot ${doing}: the model's ${config.head.kind} reads later frames too`, {
    hint: 'ingest the maps and label the dataset, or train a model with head.bidirectional: false',
    fields: { head: config.head },
  });
}

function wantedFrames(frames: ArrayLike<number> | undefined, length: number) {
  if (!frames) return { wanted: undefined, place: null };
  const wanted = new Uint8Array(length);
  const place = new Int32Array(length);
  for (let i = 0; i < frames.length; i++) {
    wanted[frames[i]] = 1;
    place[frames[i]] = i;
  }
  return { wanted, place };
}

/** Lays a map over the frame: each map cell's share is divided among the frame's cells it stands for. */
function spread({ shape, mapGrid }: Model, map: Float32Array, out: Float32Array): void {
  const { margin, stride, height, width } = mapGrid;
  const [bottom, right] = [shape.height - margin, shape.width - margin];
  for (let r = 0; r < height; r++) {
    const rows = Math.min(stride, bottom - margin - r * stride);
    for (let c = 0; c < width; c++) {
      const columns = Math.min(stride, right - margin - c * stride);
      const share = map[r * width + c] / (rows * columns);
      for (let y = 0; y < rows; y++) {
        const from = (margin + r * stride + y) * shape.width + margin + c * stride;
        out.fill(share, from, from + columns);
      }
    }
  }
}
