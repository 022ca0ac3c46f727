/** What `stormreel watch` keeps: live.json once, record.jsonl line by line in the order of arrival. */
import * as z from 'zod';

/** live.json: what the record belongs to. */
export const LiveRecord = z.strictObject({
  formatVersion: z.literal(1),
  /** Address of the dataset. */
  dataset: z.string(),
  /** Frames of this plan revision and earlier ones were there before: context, never labelled here. */
  base: z.int().min(0),
  /** sha256 of the model's files; another model needs another record. */
  model: z.string(),
  /** sha256 of the anomaly model's files; null without one. */
  anomaly: z.string().nullable(),
});
export type LiveRecord = z.infer<typeof LiveRecord>;

const Time = z.number();

/** One frame, once. A bad frame has no logit and a reason; it may get a line of its own again when its source is mended. */
export const LiveLabel = z.strictObject({
  kind: z.literal('label'),
  series: z.string(),
  time: Time,
  /** When its source had settled, and when this line was written. */
  arrived: Time,
  labelled: Time,
  /** Calibrated log odds; null for a bad frame. */
  logit: z.number().nullable(),
  probability: z.number().nullable(),
  /** By the causal latch: what is known when the frame comes. */
  predicted: z.union([z.literal(0), z.literal(1)]).nullable(),
  /** Numbered in the order in which the latch went on; null outside. */
  event: z.int().nullable(),
  /** Frames the recurrent head had seen. */
  context: z.int(),
  /** Anomaly score and its p-value; null without an anomaly model. */
  score: z.number().nullable(),
  p_value: z.number().nullable(),
  /** A later frame of the series was labelled before. */
  late: z.boolean(),
  /** Why a frame is bad. */
  reason: z.string().nullable(),
});
export type LiveLabel = z.infer<typeof LiveLabel>;

/** Maps that did not come. */
export const LiveGap = z.strictObject({
  kind: z.literal('gap'),
  series: z.string(),
  /** First missing time. */
  from: Time,
  /** Last missing time; null while the series has not gone on. The line is then written again when it does. */
  to: Time.nullable(),
  /** Missing frames; null while the series has not gone on. */
  frames: z.int().nullable(),
  noticed: Time,
});
export type LiveGap = z.infer<typeof LiveGap>;

/** A file that gives no frame; it is looked at again when its size or time changes. */
export const LiveRejected = z.strictObject({
  kind: z.literal('rejected'),
  path: z.string(),
  size: z.number(),
  mtimeMs: z.number(),
  noticed: Time,
  tag: z.string(),
  reason: z.string(),
});
export type LiveRejected = z.infer<typeof LiveRejected>;

/** A source that changed after its frame was labelled; the label stays. */
export const LiveChanged = z.strictObject({
  kind: z.literal('changed'),
  series: z.string(),
  time: Time,
  path: z.string(),
  noticed: Time,
});
export type LiveChanged = z.infer<typeof LiveChanged>;

/** A line of record.jsonl. */
export const LiveLine = z.discriminatedUnion('kind', [LiveLabel, LiveGap, LiveRejected, LiveChanged]);
export type LiveLine = z.infer<typeof LiveLine>;
