/**
 * Who may ask the board what. Loopback alone keeps nobody out: any page that is open in a browser here can send
 * requests to it, so changes are taken from the board's own pages only, and names of other sites are refused.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';

export interface GateOptions {
  password?: string;
  allowChanges: boolean;
  /** The board listens on this machine alone. */
  loopback: boolean;
}

/** What `allowChanges` allows: never adding or editing jobs, since a job says which folder is written to. */
const CHANGES =
  /^\/api\/queues\/([^/]+\/)?([^/]+\/)?(retry|promote|clean|pause|resume|empty|remove-unprocessed-children)(\/[\w-]+)?$/;

export function gate(server: FastifyInstance, options: GateOptions): void {
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-frame-options', 'DENY').header('x-content-type-options', 'nosniff');
    if (options.loopback && !isLoopback(hostOf(request)))
      return reply.code(403).send('the board answers to names of this machine only\n');
    if (options.password && !knows(request.headers.authorization, options.password))
      return reply
        .code(401)
        .header('www-authenticate', 'Basic realm="stormreel board", charset="UTF-8"')
        .send('a password is needed\n');
    if (request.method === 'GET' || request.method === 'HEAD') return;
    if (!options.allowChanges)
      return reply.code(403).send('the board is read-only; start it with --allow-changes\n');
    const [path] = request.url.split('?');
    if (request.method !== 'PUT' || !CHANGES.test(path) || !isOwnPage(request))
      return reply.code(403).send('the board does not do this\n');
  });
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

/** Without port and brackets; empty where the request names none. */
const hostOf = ({ headers }: FastifyRequest): string =>
  (headers.host ?? '').replace(/:\d+$/, '').replace(/^\[|\]$/g, '');

/** Digests are compared, so that the time taken tells neither length nor characters. */
function knows(header: string | undefined, password: string): boolean {
  const [, coded = ''] = /^Basic (\S+)$/i.exec(header ?? '') ?? [];
  const pair = Buffer.from(coded, 'base64').toString('utf8');
  const given = pair.slice(pair.indexOf(':') + 1);
  return timingSafeEqual(digest(given), digest(password));
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Browsers say where a request comes from; a program that says nothing is no page of another site. */
function isOwnPage({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  if (headers.origin === undefined) return true;
  return URL.canParse(headers.origin) && new URL(headers.origin).host === headers.host;
}
