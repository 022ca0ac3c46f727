import * as z from 'zod';

/** The part of a split a frame belongs to; also the code in `Split.part`. */
export const PARTS = ['train', 'validation', 'test', 'embargo', 'none'] as const;
export type Part = (typeof PARTS)[number];

/** One row of predictions.parquet and predictions.csv, in (series, time) order. */
export interface PredictionRow {
  series: string;
  /** Milliseconds since 1970, UTC. */
  time: number;
  /** Calibrated log odds; null for a bad frame. */
  logit: number | null;
  /** Calibrated probability; null for a bad frame. */
  probability: number | null;
  /** 1: storm after post-processing. */
  predicted: 0 | 1 | null;
  /** Number of the predicted event; null outside events. */
  event_id: number | null;
  split: Part;
  /** Frames the recurrent head had seen since its reset, this one included; 1 for models without one. */
  context: number;
}

/** One row of events.csv and one feature of events.geojson: a predicted storm. */
export interface EventRow {
  /** From 1, in (series, time) order. */
  event_id: number;
  series: string;
  /** Times of the first and the last frame, milliseconds since 1970, UTC. */
  start: number;
  end: number;
  frames: number;
  peak_time: number;
  /** Null when every frame of the event is bad. */
  peak_probability: number | null;
  mean_probability: number | null;
  /** Degrees, where the model looked in the peak frame; null where that is not known. */
  lat: number | null;
  lon: number | null;
}

/** One row of scores.parquet. */
export interface ScoreRow {
  series: string;
  time: number;
  /** Autoencoder negative log-likelihood of the frame; larger is stranger; null for a bad frame. */
  score: number | null;
  /** Largest frame score in the window that ends here. */
  window_score: number | null;
  /** Split-conformal p-value of the frame's score. */
  p_value: number | null;
  pca: number | null;
  persistence: number | null;
  norm: number | null;
  split: Part;
}

/** A value with its interval; an undefined one is null with its reason. */
export const Estimate = z.strictObject({
  value: z.number().nullable(),
  ci95: z.tuple([z.number(), z.number()]).nullable(),
  reason: z.string().optional(),
});
export type Estimate = z.infer<typeof Estimate>;

/** A point of a curve. */
export const Point = z.tuple([z.number(), z.number()]);

export const Reliability = z.strictObject({
  from: z.number(),
  to: z.number(),
  n: z.int(),
  meanProbability: z.number().nullable(),
  observed: z.number().nullable(),
});

export type Reliability = z.infer<typeof Reliability>;

/** What `stormreel evaluate --json` prints. */
export const Evaluation = z.strictObject({
  n: z.int(),
  positives: z.int(),
  events: z.int(),
  /** How the intervals were drawn, in words. */
  intervals: z.string(),
  /** What `bss` compares with, in words. */
  climatology: z.string().optional(),
  auroc: Estimate,
  ap: Estimate,
  brier: Estimate,
  bss: Estimate,
  logLoss: Estimate,
  eceEqualWidth: Estimate,
  eceEqualMass: Estimate,
  /** Same as eceEqualWidth (15 bins). */
  ece: Estimate,
  pod: Estimate,
  far: Estimate,
  pofd: Estimate,
  csi: Estimate,
  bias: Estimate,
  hss: Estimate,
  ets: Estimate,
  pss: Estimate,
  sedi: Estimate,
  counts: z.strictObject({ tp: z.int(), fp: z.int(), fn: z.int(), tn: z.int() }),
  eventScores: z.strictObject({
    pod: Estimate,
    precision: Estimate,
    f1: Estimate,
    falseEvents: z.int(),
    onsetErrorHours: Estimate,
  }),
  curves: z.strictObject({
    roc: z.array(Point),
    pr: z.array(Point),
    reliability: z.array(Reliability),
  }),
});
export type Evaluation = z.infer<typeof Evaluation>;

/** One step of the ladder: a simple score judged on the same frames. */
export const Rung = z.strictObject({
  name: z.string(),
  auroc: Estimate,
  ap: Estimate,
  /** This rung minus the one below: paired over the same blocks. */
  aurocGain: Estimate.nullable(),
  apGain: Estimate.nullable(),
  /** `better`, `not better`, `worse` or `not estimable`, by the AP gain's interval. */
  verdict: z.string().nullable(),
  /** Why this rung could not be climbed; its estimates are then null. */
  skipped: z.string().optional(),
  /** For models: against the best of all simple rungs, where that is not the one below. */
  strongest: z.strictObject({ name: z.string(), aurocGain: Estimate, apGain: Estimate }).optional(),
});
export type Rung = z.infer<typeof Rung>;

/** metrics.json of a run. */
export const Metrics = z.strictObject({
  evaluations: z.record(z.string(), Evaluation),
  ladder: z.array(Rung),
  anomaly: z.array(z.strictObject({ name: z.string(), auroc: Estimate, ap: Estimate })).optional(),
  /** Share of calm test frames with an anomaly p-value of at most `alpha`; far above `alpha`: p-values do not carry over. */
  anomalyAlarms: z
    .array(z.strictObject({ alpha: z.number(), share: z.number(), frames: z.int() }))
    .optional(),
});
export type Metrics = z.infer<typeof Metrics>;

/** model.json beside model.safetensors: all that labelling needs besides the weights. */
export const Calibration = z.strictObject({
  /** calibrated = a * (logit - prior) + b */
  method: z.enum(['none', 'prior', 'temperature', 'platt']),
  a: z.number(),
  b: z.number(),
  /** log of the positive weight used in the loss, subtracted first. */
  prior: z.number(),
  high: z.number(),
  low: z.number(),
  fillGap: z.int(),
  minimumRun: z.int(),
  /** Where thresholds and calibration came from, in words. */
  fittedOn: z.string(),
  events: z.int(),
});
export type Calibration = z.infer<typeof Calibration>;
