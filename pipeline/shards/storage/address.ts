/** What a person writes for a dataset -> its one address, and the storage there. */
import { join, resolve } from 'node:path';
import { ConfigError } from '../../errors.js';
import { localStorage } from './local.js';
import type { Storage } from './storage.js';

/** An absolute path. ConfigError: an address that stormreel does not know. */
export function datasetAddress(text: string, { base = '.' }: { base?: string } = {}): string {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1].toLowerCase();
  if (scheme === undefined) return resolve(base, text);
  throw new ConfigError(`cannot use ${scheme}:// for a dataset`, {
    hint: 'give a folder',
    fields: { scheme },
  });
}

/** The storage at `address`, as a person writes it or as `datasetAddress` gives it. */
export const storageAt = (address: string): Storage => localStorage(datasetAddress(address));

/** The folder of a dataset's own queue. */
export const queueFolder = (address: string): string => join(datasetAddress(address), 'queue');
