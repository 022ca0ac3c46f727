/** What scoring takes and gives, whichever way the head reads. */
import type { Segment } from '../sequences/index.js';
import type { FrameIndex } from '../shards/index.js';
import type { EncodeInput, Look } from './encodeFrames.js';

export interface ScoreInput extends EncodeInput {
  index: FrameIndex;
  segments: readonly Segment[];
  /** Frames the head sees, T. */
  contextLength: number;
  /** 1 for frames to score, by frame; default all. Others are encoded only where they are context. */
  wanted?: ArrayLike<number>;
  onChunk?(done: number, total: number): void;
}

export interface FrameScore {
  frame: number;
  /** Mean logit of the members; NaN for a bad frame. */
  logit: number;
  /** Frames the head has seen, this one included; 1 without a recurrent head. */
  context: number;
  /** Null when not asked for or bad. */
  look: Look | null;
}
