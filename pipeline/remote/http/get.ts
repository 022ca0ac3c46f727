/**
 * One GET over HTTP or HTTPS, whole or by range, that ends in bounded time: a server that does not answer, trickles or
 * redirects for ever is a RemoteFault or a ConfigError, never a wait without end.
 */
import { ConfigError } from '../../errors.js';
import { HTTP_LIMITS, type HttpLimits } from '../limits.js';
import { RemoteFault } from '../retry.js';

export interface GetOptions {
  range: { offset: number; length: number };
  /** Most bytes of a body that is not the range asked for, but the whole file. */
  most: number;
  /** Strong ETag that the file must still have. */
  ifMatch?: string;
  limits?: HttpLimits;
  signal?: AbortSignal;
}

export interface Answer {
  /** 200 (the whole file), 206 (the range), 412 (another ETag) or 416 (the file ends before the range). */
  status: number;
  headers: Headers;
  bytes: Buffer;
}

/** ENOENT: not there. ConfigError: what a person must change. RemoteFault: what may pass. */
export async function httpGet(url: string, options: GetOptions): Promise<Answer> {
  const { limits = HTTP_LIMITS, signal } = options;
  const deadline = new AbortController();
  const late = (ms: number, what: string) =>
    setTimeout(() => deadline.abort(new RemoteFault(`${url}: ${what} within ${ms / 1000} s`)), ms);
  let timer = late(limits.waitMs, 'no answer');
  try {
    const both = signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal;
    const response = await follow(url, options, both);
    clearTimeout(timer);
    refuse(url, response.status);
    const expected = bodyLength(url, response, options);
    timer = late(
      limits.waitMs + Math.ceil(expected / limits.bytesPerSecond) * 1_000,
      'the body did not come',
    );
    return {
      status: response.status,
      headers: response.headers,
      bytes: await bodyOf(url, response, expected),
    };
  } catch (error) {
    if (deadline.signal.aborted) throw deadline.signal.reason;
    if (signal?.aborted) throw signal.reason;
    if (!(error instanceof TypeError)) throw error;
    const { code, message } = (error.cause ?? error) as NodeJS.ErrnoException; // the network's own
    throw new RemoteFault(`cannot reach ${url}: ${code ?? message}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function follow(
  url: string,
  { range, ifMatch, limits = HTTP_LIMITS }: GetOptions,
  signal: AbortSignal,
) {
  const headers = {
    'accept-encoding': 'identity', // ranges are of the file, not of a packed form of it
    range: `bytes=${range.offset}-${range.offset + range.length - 1}`,
    ...(ifMatch && { 'if-match': ifMatch }),
  };
  let at = url;
  for (let left = limits.redirects; ; left--) {
    const response = await fetch(at, { headers, redirect: 'manual', signal });
    const target = [301, 302, 303, 307, 308].includes(response.status) && response.headers.get('location');
    if (!target) return response;
    await response.body?.cancel();
    const next = new URL(target, at);
    if (
      left === 0 ||
      !/^https?:$/.test(next.protocol) ||
      (at.startsWith('https:') && next.protocol === 'http:')
    )
      throw new ConfigError(
        `cannot read ${url}: its server redirects too often, or to what is no safe address`,
        {
          hint: 'give the address that the redirects lead to',
          fields: { path: url },
        },
      );
    at = next.href;
  }
}

function refuse(url: string, status: number): void {
  if ([200, 206, 412, 416].includes(status)) return;
  if (status === 404 || status === 410)
    throw Object.assign(new Error(`${url} is not there (${status})`), { code: 'ENOENT' });
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    throw new RemoteFault(`${url}: the server answers ${status}`);
  throw new ConfigError(
    `cannot read ${url}: the server answers ${status}${status === 401 || status === 403 ? ', access is denied' : ''}`,
    {
      hint: 'open the address in a browser; what needs a login must be downloaded first',
      fields: { path: url, status },
    },
  );
}

/** Bytes that the body will have; more than asked for is not begun. */
function bodyLength(url: string, response: Response, { range, most }: GetOptions): number {
  const { status, headers } = response;
  if (status === 412 || status === 416) return 0;
  const stated = headers.get('content-length');
  const length = stated === null ? null : Number(stated);
  if (headers.get('content-encoding') && headers.get('content-encoding') !== 'identity')
    throw new ConfigError(`cannot read ${url}: its server packs what it sends`, {
      hint: 'download the file and give its folder',
      fields: { path: url },
    });
  const begins = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '')?.[1];
  if (status === 206 && Number(begins) !== range.offset)
    throw new RemoteFault(
      `${url}: bytes from ${begins} came where those from ${range.offset} were asked for`,
    );
  const allowed = status === 206 ? range.length : most;
  if (length !== null && length <= allowed) return length;
  if (length === null && status === 206) return range.length;
  throw new ConfigError(
    `cannot read ${url}: its server sends no ranges, and the whole file ${length === null ? 'has no stated size' : `has ${length} bytes, ${most} are allowed`}`,
    { hint: 'download the file and give its folder', fields: { path: url, length } },
  );
}

async function bodyOf(url: string, { body, status }: Response, expected: number): Promise<Buffer> {
  if (status === 412 || status === 416) {
    await body?.cancel();
    return Buffer.alloc(0);
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body ?? []) {
    parts.push(part);
    length += part.length;
    if (length > expected) break;
  }
  if (length === expected) return Buffer.concat(parts);
  throw new RemoteFault(`${url}: ${length} bytes came where ${expected} were stated`);
}
