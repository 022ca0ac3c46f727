/** Tries again what a network lost, with growing waits. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isStormreelError } from '../errors.js';

export interface RetryOptions {
  /** Default 6: with the waits between them about 15 s. */
  attempts?: number;
  /** Wait after the first failure; each later one is twice as long. Default 500 ms. */
  waitMs?: number;
  signal?: AbortSignal;
}

/** A fault of the network or of another machine, that was tried again and did not pass. A job that meets it is tried again. */
export class RemoteFault extends Error {
  override readonly name = 'RemoteFault';
}

/** Runs `work` until it is done. Typed errors, missing files and an abort are told at once. */
export async function retrying<T>(
  work: (attempt: number) => Promise<T>,
  { attempts = 6, waitMs = 500, signal }: RetryOptions = {},
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      if (signal?.aborted || isStormreelError(error) || (error as { code?: string }).code === 'ENOENT')
        throw error;
      if (attempt >= attempts) throw error;
      // Half of it by chance, so that many workers do not come back at once. It decides no result.
      await sleep(waitMs * 2 ** (attempt - 1) * (0.5 + Math.random() / 2), undefined, { signal });
    }
  }
}
