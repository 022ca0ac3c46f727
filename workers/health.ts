/** A worker's small web server: /healthz (the process turns), /readyz (it takes jobs), /metrics (for Prometheus). */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError } from '../pipeline/errors.js';

export interface HealthOptions {
  /** 0: any free port. */
  port: number;
  host: string;
  metrics: () => Promise<string>;
  /** Why no jobs are taken now; null when they are. */
  unready: () => Promise<string | null>;
}

export interface Health {
  address: string;
  close(): Promise<void>;
}

/** ConfigError when the port cannot be had. */
export async function serveHealth({ port, host, metrics, unready }: HealthOptions): Promise<Health> {
  const pages: { [path: string]: ((response: ServerResponse) => Promise<void>) | undefined } = {
    '/healthz': async (response) => answer(response, 200, 'ok'),
    '/readyz': async (response) => {
      const reason = await unready();
      answer(response, reason ? 503 : 200, reason ?? 'ready');
    },
    '/metrics': async (response) => {
      response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
      answer(response, 200, (await metrics()).trimEnd());
    },
  };
  const server = createServer((request, response) => {
    const page = pages[(request.url ?? '').split('?')[0]];
    if (!page || !['GET', 'HEAD'].includes(request.method ?? ''))
      return answer(response, page ? 405 : 404, `there are ${Object.keys(pages).join(', ')}`);
    page(response).catch((error: Error) => answer(response, 500, error.message));
  });
  await listen(server, port, host);
  const { address, port: bound, family } = server.address() as AddressInfo;
  return {
    address: `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function answer(response: ServerResponse, status: number, text: string): void {
  if (!response.hasHeader('content-type')) response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.writeHead(status).end(`${text}\n`);
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      fail(
        new ConfigError(`cannot listen on ${host}, port ${port}: ${cause.code}`, {
          hint: 'another process may have the port: give another --metrics-port, or 0 for any free one',
          cause,
          fields: { host, port, code: cause.code },
        }),
      ),
    );
    server.listen(port, host, () => done());
  });
}
