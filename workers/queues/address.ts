/** Where a queue is: a Redis URL, or a folder with the queue of one machine. */
import { QueueError } from '../../pipeline/errors.js';

/** A Redis URL checked for form; QueueError never shows user name or password. */
export function parseRedisUrl(text: string): URL {
  let url: URL | null = null;
  try {
    url = new URL(text);
  } catch {
    // Told below, without the text: it may hold a password.
  }
  if (url && (url.protocol === 'redis:' || url.protocol === 'rediss:') && url.hostname) return url;
  throw new QueueError('the address of the queue is not a Redis URL', {
    hint: 'write --queue redis://HOST:6379 (rediss:// for TLS); without --queue the queue runs inside this process',
    fields: { protocol: url?.protocol ?? null },
  });
}

/** The address without credentials, for logs and messages. */
export function describeAddress(url: URL): string {
  return `${url.protocol}//${url.hostname}:${url.port || '6379'}${url.pathname.length > 1 ? url.pathname : ''}`;
}
