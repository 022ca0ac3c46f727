/** When a queue counts as gone: it did not answer for a minute. ioredis itself would wait for ever. */
import { QueueError } from '../../pipeline/errors.js';
import { within } from './within.js';

/** Long enough for a restart with a long log to replay. */
export const GONE_AFTER_MS = 60_000;

export const goneError = (where: string): QueueError =>
  new QueueError(`the queue at ${where} has not answered for ${GONE_AFTER_MS / 1_000} s`, {
    hint: 'start it again, then run the same command: what is committed stays, and it goes on from there',
    fields: { where },
  });

/** What `work` gives; QueueError when the queue at `where` has not answered by then. */
export async function orGone<T>(where: string, work: Promise<T>): Promise<T> {
  if (!(await within(work, GONE_AFTER_MS))) throw goneError(where);
  return work;
}
