/**
 * Follows jobs to their end. Inside one process its workers tell of them; on Redis they are looked up, many with one
 * command: reading the queue's stream of events, of which every job makes four, would cost a third of doing a no-op job.
 */
import type { Connection } from './connection.js';
import { followHere } from './followHere.js';
import { followOnRedis } from './followOnRedis.js';

/** What is told of the jobs; of one job maybe more than once. */
export interface Told {
  completed(id: string): void;
  /** After its last attempt. */
  failed(id: string, reason: string): void;
  progress(id: string, value: unknown): void;
  /** The queue no longer holds one of them. */
  lost(): void;
  /** The queue has answered. */
  answered(): void;
}

/** `waiting`: ids in the order in which they were added; whoever is told of an end takes it out. Returns what stops it. */
export function follow(
  connection: Connection,
  name: string,
  waiting: ReadonlySet<string>,
  told: Told,
): () => void {
  const queue = connection.queue(name);
  return connection.kind === 'redis'
    ? followOnRedis(queue, waiting, told)
    : followHere(queue, connection.outcomes(name), waiting, told);
}
