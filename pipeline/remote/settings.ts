/** What the environment says of other machines: the one place that reads it. Credentials are left to the S3 library. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { ConfigError } from '../errors.js';

export interface RemoteSettings {
  /** Address of an S3-compatible server; null: Amazon's own. */
  endpoint: string | null;
  /** Null: the library finds it, in a profile for one. */
  region: string | null;
  /** Folder of copies of objects and of the queues of datasets that lie elsewhere. */
  cache: string;
  /** Most bytes of copies. Default 10 GiB. */
  cacheBytes: number;
}

const Bytes = z.coerce.number().int().min(1);

/**
 * `AWS_ENDPOINT_URL_S3`, else `AWS_ENDPOINT_URL`; `AWS_REGION`, else `AWS_DEFAULT_REGION`; `STORMREEL_CACHE`, else `stormreel` in `XDG_CACHE_HOME` or ~/.cache;
 * `STORMREEL_CACHE_BYTES`. ConfigError: one that makes no sense.
 */
export function remoteSettings(env: NodeJS.ProcessEnv = process.env): RemoteSettings {
  const endpoint = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || null;
  if (endpoint !== null && !/^https?:$/.test(protocolOf(endpoint)))
    throw new ConfigError('AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL is not the address of a server', {
      hint: 'write it as https://HOST:PORT',
    });
  const cache = env.STORMREEL_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'stormreel');
  const bytes = Bytes.safeParse(env.STORMREEL_CACHE_BYTES || 10 * 2 ** 30);
  if (!bytes.success)
    throw new ConfigError(`STORMREEL_CACHE_BYTES is "${env.STORMREEL_CACHE_BYTES}"; expected whole bytes`, {
      hint: 'e.g. STORMREEL_CACHE_BYTES=10737418240',
    });
  const region = env.AWS_REGION || env.AWS_DEFAULT_REGION || null;
  return { endpoint, region, cache, cacheBytes: bytes.data };
}

function protocolOf(text: string): string {
  try {
    return new URL(text).protocol;
  } catch {
    return '';
  }
}
