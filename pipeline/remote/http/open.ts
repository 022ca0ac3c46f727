/** A file on an HTTP server: its first bytes and what it is, by one request. */

import type { FirstBytes } from '../file.js';
import type { HttpLimits } from '../limits.js';
import { type RetryOptions, retrying } from '../retry.js';
import { type Answer, httpGet } from './get.js';

export interface HttpOptions extends RetryOptions {
  /** Bytes to begin with. */
  first: number;
  /** Most bytes of a file whose server knows no ranges. */
  most: number;
  limits?: HttpLimits;
}

/** With all bytes where the server sends no ranges. Errors as of `httpGet`, after three attempts. */
export function openHttp(url: string, options: HttpOptions): Promise<FirstBytes> {
  const range = { offset: 0, length: Math.max(1, options.first) };
  return retrying(async () => describe(await httpGet(url, { ...options, range })), { ...TRIES, ...options });
}

/** `length` bytes from `offset`; null when the file is another one now. */
export function readHttp(
  url: string,
  range: { offset: number; length: number },
  { etag, ...options }: Omit<HttpOptions, 'first'> & { etag: string | null },
): Promise<FirstBytes | null> {
  const ifMatch = etag !== null && isStrong(etag) ? etag : undefined;
  return retrying(
    async () => {
      const answer = await httpGet(url, { ...options, range, ifMatch });
      if (answer.status === 412 || answer.status === 416) return null;
      const found = describe(answer);
      // A server that sends the whole file although it could send ranges before.
      if (answer.status === 200)
        return { ...found, bytes: found.bytes.subarray(range.offset, range.offset + range.length) };
      return found;
    },
    { ...TRIES, ...options },
  );
}

/** A stalled server is waited for long enough; after that the job is tried again later. */
const TRIES = { attempts: 3 };

/** Only a strong ETag says that every byte is the same. */
export const isStrong = (etag: string): boolean => /^".*"$/s.test(etag);

function describe({ status, headers, bytes }: Answer): FirstBytes {
  const total = /\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1];
  const size =
    status === 200 ? bytes.length : status === 416 ? Number(total ?? 0) : Number(total ?? Number.NaN);
  const time = Date.parse(headers.get('last-modified') ?? '');
  return { bytes, size, etag: headers.get('etag'), mtimeMs: Number.isNaN(time) ? 0 : time };
}
