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
  if (url && (url.protocol === 'redis:' || url.protocol === 'rediss:') && url.hostname && isDecodable(url))
    return url;
  throw new QueueError('the address of the queue is not a Redis URL', {
    hint: 'write --queue redis://HOST:6379 (rediss:// for TLS; special characters of a password as %40); without --queue the queue runs inside this process',
    fields: { protocol: url?.protocol ?? null },
  });
}

const isDecodable = ({ username, password }: URL): boolean => {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false; // a % that begins no code
  }
};

/** The address without credentials, for logs and messages. */
export function describeAddress(url: URL): string {
  return `${url.protocol}//${url.hostname}:${url.port || '6379'}${url.pathname.length > 1 ? url.pathname : ''}`;
}
