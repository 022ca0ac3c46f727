/** Where a Redis queue is: one URL that carries host, credentials and the files of TLS, and what may be shown of it. */
import { readFile } from 'node:fs/promises';
import type { RedisOptions } from 'ioredis';
import { QueueError } from '../../pipeline/errors.js';

/** Query parameters of the URL: paths of PEM files. `ca`: who signed the server; `cert` and `key`: who we are. */
export const TLS_FILES = ['ca', 'cert', 'key'] as const;

/** A Redis URL checked for form; QueueError never shows user name or password. */
export function parseRedisUrl(text: string): URL {
  let url: URL | null = null;
  try {
    url = new URL(text);
  } catch {
    // Told below, without the text: it may hold a password.
  }
  if (!url || !['redis:', 'rediss:'].includes(url.protocol) || !url.hostname || !isDecodable(url))
    throw new QueueError('the address of the queue is not a Redis URL', {
      hint: 'write --queue redis://HOST:6379 (rediss:// for TLS; special characters of a password as %40); without --queue the queue runs inside this process',
      fields: { protocol: url?.protocol ?? null },
    });
  checkTls(url);
  return url;
}

const isDecodable = ({ username, password }: URL): boolean => {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false; // a % that begins no code
  }
};

/** Certificates beside an unencrypted address would be ignored in silence. */
function checkTls(url: URL): void {
  const names = [...url.searchParams.keys()];
  const unknown = names.filter((name) => !(TLS_FILES as readonly string[]).includes(name));
  const where = describeAddress(url);
  if (unknown.length > 0)
    throw new QueueError(`the address ${where} has parameters that mean nothing here`, {
      hint: `what may follow the ? is ${TLS_FILES.join(', ')}, each the path of a PEM file`,
      fields: { unknown },
    });
  if (names.length > 0 && url.protocol !== 'rediss:')
    throw new QueueError(`certificates are given for ${where}, which is not encrypted`, {
      hint: 'write rediss:// instead of redis://, or leave the certificates out (STORMREEL_QUEUE_CA, _CERT, _KEY)',
      fields: { where },
    });
  if (url.searchParams.has('cert') !== url.searchParams.has('key'))
    throw new QueueError(`a client certificate and its key go together; one is missing for ${where}`, {
      hint: 'give both STORMREEL_QUEUE_CERT and STORMREEL_QUEUE_KEY, or neither',
      fields: { where },
    });
}

/** The address without credentials, for logs and messages. */
export function describeAddress(url: URL): string {
  return `${url.protocol}//${url.hostname}:${url.port || '6379'}${url.pathname.length > 1 ? url.pathname : ''}`;
}

/** What ioredis needs. QueueError for a file of TLS that cannot be read. */
export async function redisOptions(url: URL): Promise<RedisOptions> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    host,
    port: Number(url.port || 6379),
    db: Number(url.pathname.slice(1) || 0),
    ...(url.username && { username: decodeURIComponent(url.username) }),
    ...(url.password && { password: decodeURIComponent(url.password) }),
    ...(url.protocol === 'rediss:' && { tls: await tlsOptions(url) }),
    maxRetriesPerRequest: null,
  };
}

async function tlsOptions(url: URL): Promise<Record<string, string>> {
  const options: Record<string, string> = {};
  for (const name of TLS_FILES) {
    const path = url.searchParams.get(name);
    if (path) options[name] = await readPem(name, path);
  }
  return options;
}

async function readPem(name: string, path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new QueueError(`cannot read ${path}, the ${name} file of the queue's TLS: ${cause.code}`, {
      hint: `give the path of a PEM file that this user may read, e.g. STORMREEL_QUEUE_${name.toUpperCase()}=/etc/stormreel/${name}.pem`,
      cause,
      fields: { path },
    });
  });
  if (text.includes('-----BEGIN')) return text;
  throw new QueueError(`${path} holds no PEM text`, {
    hint: 'convert it: openssl x509 -in FILE -out FILE.pem (openssl pkey for a key)',
    fields: { path },
  });
}

/** What to do about the reason for which a server could not be used. */
export function cureOf(reason: string, { protocol }: URL): string {
  const secure = protocol === 'rediss:';
  const closed = /alert|ECONNRESET|EPIPE|closed|disconnected|hang up/i.test(reason); // which of them is chance
  if (secure && closed)
    return 'the server ended the TLS handshake; one that asks for a client certificate wants STORMREEL_QUEUE_CERT=cert.pem and STORMREEL_QUEUE_KEY=key.pem, one without TLS redis://';
  if (secure && /certificate|self.signed|altname|issuer/i.test(reason))
    return 'give the certificate of whoever signed the server: STORMREEL_QUEUE_CA=ca.pem; the host must be one that the certificate names';
  if (/NOAUTH|WRONGPASS|invalid password|NOPERM/i.test(reason))
    return 'give the password: STORMREEL_QUEUE_PASSWORD_FILE=FILE, or redis://:PASSWORD@HOST:6379 in STORMREEL_QUEUE';
  if (closed || /SSL|wrong version number/.test(reason))
    return 'see whether the server speaks TLS: rediss:// if so, redis:// if not';
  return 'start one (redis-server, or docker-compose up redis), or leave --queue out: the queue then runs inside this process';
}
