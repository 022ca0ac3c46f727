/** What a person writes for a dataset -> its one address, and the storage there. */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { ConfigError } from '../../errors.js';
import { isS3, parseS3, remoteSettings, s3Address } from '../../remote/index.js';
import { localStorage } from './local.js';
import { s3Storage } from './s3.js';
import type { Storage } from './storage.js';

/** An absolute path, or `s3://bucket/prefix`. ConfigError: an address that stormreel does not know. */
export function datasetAddress(text: string, { base = '.' }: { base?: string } = {}): string {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1].toLowerCase();
  if (scheme === undefined) return resolve(base, text);
  if (isS3(text)) return s3Address(parseS3(text));
  throw new ConfigError(`cannot use ${scheme}:// for a dataset`, {
    hint: 'give a folder, or s3://BUCKET/PREFIX',
    fields: { scheme },
  });
}

/** The storage at `address`, as a person writes it or as `datasetAddress` gives it. */
export const storageAt = (address: string): Storage =>
  isS3(address) ? s3Storage(address) : localStorage(datasetAddress(address));

/** The folder of a dataset's own queue; of a dataset that lies elsewhere, one on this machine. */
export function queueFolder(address: string): string {
  const whole = datasetAddress(address);
  if (!isS3(whole)) return join(whole, 'queue');
  const { endpoint, cache } = remoteSettings();
  const name = createHash('sha256').update(`${endpoint}\n${whole}`).digest('hex').slice(0, 16);
  return join(cache, 'queues', name);
}
