import type { SplitConfig } from '../../schemas/config/index.js';

/** A stretch of one series without a gap: frames start .. start + length - 1 of the frame index. */
export interface Segment {
  readonly series: number;
  readonly start: number;
  readonly length: number;
}

/** Windows as arithmetic: nothing is listed, `at(i)` computes. */
export interface Windows {
  readonly length: number;
  readonly windowLength: number;
  /** First frame of window i and the number of its leading frames that are padding (only in segments shorter than a window). */
  at(i: number): { series: number; start: number; length: number };
}

/** Which frames train, validate, test; made by `makeSplit`. */
export interface Split {
  /** Index into PARTS (schemas/records): 0 train, 1 validation, 2 test, 3 embargo, 4 none. */
  readonly part: Uint8Array;
  readonly config: SplitConfig;
  /** sha256 over dataset hash, label hash and parts. */
  readonly hash: string;
  readonly embargoMs: number;
  /** True when frames of one place and storm may lie on both sides: the report says so in red. */
  readonly leaky: boolean;
  /** Sentences for the report: sizes, embargo, footprints, what the split cannot show. */
  readonly notes: readonly string[];
}
