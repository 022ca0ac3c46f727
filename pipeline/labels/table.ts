/** Labels joined to the frames of a dataset: one entry a frame, aligned with `FrameIndex`. */
export interface LabelTable {
  /** Name of the label source. */
  readonly source: string;
  /** sha256 over (series, time, label, ignore, event, lat, lon) in frame order. */
  readonly hash: string;
  /** The join rule used, in words, printed in the report. */
  readonly rule: string;
  /** 1 storm, 0 none, -1 unlabelled. */
  readonly label: Int8Array;
  /** 1: takes no part in loss or metrics (unlabelled by choice, buffer zones, disagreement). */
  readonly ignore: Uint8Array;
  /** Index into `eventNames`; -1 outside events. Without an event column: runs of consecutive storm frames in a series. */
  readonly event: Int32Array;
  readonly eventNames: readonly string[];
  /** Storm centre in degrees; NaN where unknown. */
  readonly lat: Float32Array;
  readonly lon: Float32Array;
}
