/**
 * The errors a user can meet. Each says what was being done, what was found and what was expected; `hint` says
 * what to type next. The command line prints text and hint without a stack and exits 2.
 */

/** Names of all tagged errors, as they appear in logs, job records and `--json` output. */
export type ErrorTag =
  | 'BadRasterError'
  | 'BandMismatchError'
  | 'GridMismatchError'
  | 'TimeError'
  | 'LabelJoinError'
  | 'GapError'
  | 'LeakError'
  | 'ConfigError'
  | 'ModelMismatchError'
  | 'BackendError'
  | 'CorruptShardError'
  | 'SourceChangedError'
  | 'QueueError';

/** Typed fields of an error: plain JSON, so that it survives a queue. */
export type ErrorFields = Record<string, unknown>;

export interface ErrorOptions {
  /** What to type or change next; one line. */
  hint: string;
  cause?: unknown;
  fields?: ErrorFields;
}

/** Base of every error that is the input's or the user's, never ours. */
export abstract class StormreelError extends Error {
  abstract readonly tag: ErrorTag;
  readonly hint: string;
  readonly fields: ErrorFields;

  constructor(message: string, { hint, cause, fields = {} }: ErrorOptions) {
    super(message, { cause });
    this.name = new.target.name;
    this.hint = hint;
    this.fields = fields;
  }
}

/** A map that cannot be read: truncated, hostile, unsupported or inconsistent with its own header. */
export class BadRasterError extends StormreelError {
  readonly tag = 'BadRasterError';
}
/** A map whose bands are not those of the dataset. */
export class BandMismatchError extends StormreelError {
  readonly tag = 'BandMismatchError';
}
/** A map whose grid (size, transform, CRS) cannot be brought to the dataset's grid. */
export class GridMismatchError extends StormreelError {
  readonly tag = 'GridMismatchError';
}
/** A time that is missing, ambiguous, duplicate or unparsable. */
export class TimeError extends StormreelError {
  readonly tag = 'TimeError';
}
/** Labels and frames that do not meet: unmatched rows either way, ties, classes outside the list. */
export class LabelJoinError extends StormreelError {
  readonly tag = 'LabelJoinError';
}
/** A window that would cross a gap. */
export class GapError extends StormreelError {
  readonly tag = 'GapError';
}
/** The same frame, time span or place on both sides of a split. */
export class LeakError extends StormreelError {
  readonly tag = 'LeakError';
}
/** A flag, a config file or a combination of them that makes no sense. */
export class ConfigError extends StormreelError {
  readonly tag = 'ConfigError';
}
/** A model that does not fit the dataset: other bands, grid or channels, or weights of another shape. */
export class ModelMismatchError extends StormreelError {
  readonly tag = 'ModelMismatchError';
}
/** A tensor backend that is missing, is not the one asked for, or fails its self-check. */
export class BackendError extends StormreelError {
  readonly tag = 'BackendError';
}
/** A shard, commit or manifest whose bytes are not what was committed. */
export class CorruptShardError extends StormreelError {
  readonly tag = 'CorruptShardError';
}
/** A source file that is not what it was when it was planned or first decoded. */
export class SourceChangedError extends StormreelError {
  readonly tag = 'SourceChangedError';
}
/** A queue that cannot be reached, or a folder owned by another process. */
export class QueueError extends StormreelError {
  readonly tag = 'QueueError';
}

/** True for errors whose text and hint are meant for the user. */
export function isStormreelError(error: unknown): error is StormreelError {
  return error instanceof StormreelError;
}
