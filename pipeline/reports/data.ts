/**
 * All that a report is made from: stored records, aligned with the frames of one index. `loadReport` reads it from a
 * run; `buildPage` turns it into HTML. A part that could not be read is null and stands in `missing` with its cure.
 */
import type { RunConfig } from '../../schemas/config/index.js';
import type { EventRow, Metrics } from '../../schemas/records/index.js';
import type { LabelTable } from '../labels/index.js';
import type { FrameIndex, FrameStore } from '../shards/index.js';

/** What the run said of each frame; one entry a frame. */
export interface FramePredictions {
  /** Calibrated probability; NaN for a bad or unlisted frame. */
  readonly probability: Float64Array;
  /** 1 storm after post-processing, 0 none, -1 unknown. */
  readonly predicted: Int8Array;
  /** Number of the predicted event; 0 outside events. */
  readonly event: Int32Array;
  /** Frames the recurrent head had seen; 0 unknown. */
  readonly context: Int32Array;
}

/** Anomaly scores, NaN where there is none; larger is stranger. */
export interface FrameScores {
  readonly score: Float64Array;
  readonly window: Float64Array;
  readonly p: Float64Array;
  readonly pca: Float64Array;
  readonly persistence: Float64Array;
  readonly norm: Float64Array;
}

/** Where the model looked. */
export interface Attention {
  readonly width: number;
  readonly height: number;
  /** `[height * width]`; null where the frame has none. */
  map(frame: number): Float32Array | null;
  /** Blocks that the model attends to, with the grid of their maps; empty for a model with one map alone. */
  readonly taps: readonly { name: string; width: number; height: number }[];
  /** Weight of each tap, sums to 1; null for a bad frame, and where taps are not weighed. */
  scale(frame: number): Float32Array | null;
}

export interface ReportSplit {
  /** Index into PARTS, one entry a frame. */
  readonly part: Uint8Array;
  readonly by: string;
  readonly hash: string;
  readonly embargoMs: number;
  readonly leaky: boolean;
  readonly notes: readonly string[];
}

/** One line of log.jsonl. */
export interface TrainingStep {
  member: number;
  step: number;
  loss: number;
  learningRate?: number;
  framesPerSecond?: number;
  validationAp?: number | null;
}

export interface ReportProvenance {
  readonly config: RunConfig;
  readonly dataset: { path: string; hash: string; frames: number; bad: number };
  readonly labels: { source: string; hash: string; rule: string };
  readonly versions: Readonly<Record<string, string>>;
  readonly backend: string;
}

/** A part of the report that has nothing to show. */
export interface Missing {
  piece:
    | 'dataset'
    | 'labels'
    | 'split'
    | 'predictions'
    | 'scores'
    | 'events'
    | 'metrics'
    | 'log'
    | 'attention';
  reason: string;
  /** What to type to get it. */
  cure: string;
}

export interface ReportData {
  readonly title: string;
  readonly about: string;
  readonly attribution: readonly string[];
  readonly run: string;
  /** Null when neither the dataset nor predictions could be read. */
  readonly index: FrameIndex | null;
  /** Frames to look at; null when the dataset is not there. */
  readonly store: (FrameStore & { frameReason?(frame: number): string | null }) | null;
  readonly labels: LabelTable | null;
  readonly split: ReportSplit | null;
  readonly predictions: FramePredictions | null;
  readonly scores: FrameScores | null;
  readonly events: readonly EventRow[] | null;
  readonly metrics: Partial<Metrics> | null;
  readonly log: readonly TrainingStep[] | null;
  readonly attention: Attention | null;
  readonly provenance: ReportProvenance | null;
  /** Other facts of the run's records, by name, printed with the provenance. */
  readonly facts: Readonly<Record<string, string>>;
  readonly missing: readonly Missing[];
}
