/** Errors across the queue: a typed error is written into the job's reason as JSON and made whole again on the other side. */
import { UnrecoverableError } from 'bullmq';
import * as errors from '../../pipeline/errors.js';
import { waitedFor, waitingFor } from './putOff.js';

type Typed = new (message: string, options: errors.ErrorOptions) => errors.StormreelError;

const CLASSES: Record<errors.ErrorTag, Typed> = {
  BadRasterError: errors.BadRasterError,
  BandMismatchError: errors.BandMismatchError,
  GridMismatchError: errors.GridMismatchError,
  TimeError: errors.TimeError,
  LabelJoinError: errors.LabelJoinError,
  GapError: errors.GapError,
  LeakError: errors.LeakError,
  ConfigError: errors.ConfigError,
  ModelMismatchError: errors.ModelMismatchError,
  BackendError: errors.BackendError,
  CorruptShardError: errors.CorruptShardError,
  SourceChangedError: errors.SourceChangedError,
  QueueError: errors.QueueError,
};

/** A typed error becomes one that is not tried again; any other passes unchanged and is tried again. */
export function toFailure(error: unknown): unknown {
  if (!errors.isStormreelError(error)) return error;
  const { tag, message, hint, fields } = error;
  const failure = new UnrecoverableError(JSON.stringify({ tag, message, hint, fields }));
  const jobs = waitedFor(error);
  return jobs ? waitingFor(failure, jobs) : failure;
}

/** The typed error that `reason` carries; null when it carries none. */
export function fromFailure(reason: string): errors.StormreelError | null {
  if (!reason.startsWith('{"tag":')) return null;
  const { tag, message, hint, fields } = JSON.parse(reason);
  return typedError(tag, message, { hint, fields });
}

/** The error class of `tag`; null for a tag that is none of ours. */
export function typedError(
  tag: string,
  message: string,
  options: errors.ErrorOptions,
): errors.StormreelError | null {
  if (!Object.hasOwn(CLASSES, tag)) return null;
  return new CLASSES[tag as errors.ErrorTag](message, options);
}
