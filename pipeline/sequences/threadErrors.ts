/** Errors on their way from a reader thread, where a class does not survive. */
import { CorruptShardError, type ErrorFields, isStormreelError } from '../errors.js';

export interface PlainError {
  tag?: string;
  message: string;
  hint?: string;
  fields?: ErrorFields;
}

export function plain(error: unknown): PlainError {
  if (!isStormreelError(error)) return { message: (error as Error).message };
  const { tag, message, hint, fields } = error;
  return { tag, message, hint, fields: JSON.parse(JSON.stringify(fields)) };
}

export function revive({ tag, message, hint = '', fields }: PlainError): Error {
  return tag === 'CorruptShardError' ? new CorruptShardError(message, { hint, fields }) : new Error(message);
}
