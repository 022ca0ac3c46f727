/** An HTTP server of files in memory that behaves as badly as it is told to, and counts what it sends. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Served {
  bytes: Uint8Array;
  /** Default `"v1"`; null: none. */
  etag?: string | null;
  /** Default true. */
  ranges?: boolean;
  /** Does something else than to answer; true when it did. */
  misbehave?: (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;
}

export interface HttpServer {
  url: string;
  /** By path without the first slash. */
  files: Map<string, Served>;
  requests: { path: string; range: string | undefined }[];
  /** Bytes of bodies sent. */
  sent(): number;
  close(): Promise<void>;
}

export async function startHttp(): Promise<HttpServer> {
  const files = new Map<string, Served>();
  const requests: HttpServer['requests'] = [];
  let sent = 0;
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(request.url ?? '/').slice(1);
    const { range } = request.headers;
    requests.push({ path, range });
    const file = files.get(path);
    if (!file) return response.writeHead(404).end('not here');
    if (await file.misbehave?.(request, response)) return;
    sent += answer(file, range, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    files,
    requests,
    sent: () => sent,
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function answer(
  { bytes, etag = '"v1"', ranges = true }: Served,
  range: string | undefined,
  out: ServerResponse,
): number {
  const headers = {
    'last-modified': 'Thu, 01 Dec 2005 00:00:00 GMT',
    ...(etag !== null && { etag }),
  };
  const asked = ranges ? /^bytes=(\d+)-(\d+)$/.exec(range ?? '') : null;
  if (!asked) {
    out.writeHead(200, { ...headers, 'content-length': bytes.length }).end(bytes);
    return bytes.length;
  }
  const [from, to] = [Number(asked[1]), Math.min(Number(asked[2]), bytes.length - 1)];
  if (from >= bytes.length) {
    out.writeHead(416, { ...headers, 'content-range': `bytes */${bytes.length}` }).end();
    return 0;
  }
  const part = bytes.subarray(from, to + 1);
  const place = { 'content-range': `bytes ${from}-${to}/${bytes.length}`, 'content-length': part.length };
  out.writeHead(206, { ...headers, ...place }).end(part);
  return part.length;
}

/** Sends the head of an answer and then a byte now and then, for ever. */
export const trickle: Served['misbehave'] = async (_, response) => {
  response.writeHead(206, { 'content-range': 'bytes 0-9999/10000', 'content-length': 10_000, etag: '"v1"' });
  while (!response.destroyed) {
    response.write('.');
    await sleep(20);
  }
  return true;
};

/** Takes the request and says nothing. */
export const silence: Served['misbehave'] = () => true;

/** States more bytes than it sends, then hangs up; only the first `times` requests. */
export const torn = (times: number): Served['misbehave'] => {
  let left = times;
  return (_, response) => {
    if (left-- <= 0) return false;
    response.writeHead(206, {
      'content-range': 'bytes 0-9999/10000',
      'content-length': 10_000,
      etag: '"v1"',
    });
    response.write('only this');
    setTimeout(() => response.destroy(), 10);
    return true;
  };
};
