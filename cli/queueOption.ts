/**
 * `--queue`, the same for every command: an address, completed by credentials and files of TLS from the environment,
 * so that none of them need stand on a command line that others can read.
 *
 *   STORMREEL_QUEUE                         the address, where the flag is not given
 *   STORMREEL_QUEUE_PASSWORD(_FILE), STORMREEL_QUEUE_USER
 *   STORMREEL_QUEUE_CA, _CERT, _KEY         paths of PEM files, with rediss://
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Option } from 'commander';
import { ConfigError } from '../pipeline/errors.js';
import { parseRedisUrl, TLS_FILES } from '../workers/queues/address.js'; // not the index: BullMQ is slow to load

export const queueOption = (
  summary = 'redis://HOST:6379 or rediss://; password and certificates by environment, see docs/deploy.md',
): Option =>
  new Option('--queue <url>', summary)
    .env('STORMREEL_QUEUE')
    .argParser((text) => (text === '' ? undefined : completeAddress(text, process.env)));

/** The address with what the environment adds; what the address itself says stays. */
export function completeAddress(text: string, env: NodeJS.ProcessEnv): string {
  const url = parseRedisUrl(text);
  const password = url.password ? null : passwordOf(env);
  if (password) url.password = encodeURIComponent(password);
  if (env.STORMREEL_QUEUE_USER && !url.username) url.username = encodeURIComponent(env.STORMREEL_QUEUE_USER);
  for (const name of TLS_FILES) {
    const path = env[`STORMREEL_QUEUE_${name.toUpperCase()}`];
    if (path && !url.searchParams.has(name)) url.searchParams.set(name, resolve(path));
  }
  return parseRedisUrl(url.href).href;
}

function passwordOf(env: NodeJS.ProcessEnv): string | null {
  const { STORMREEL_QUEUE_PASSWORD: password, STORMREEL_QUEUE_PASSWORD_FILE: file } = env;
  if (password && file)
    throw new ConfigError('both STORMREEL_QUEUE_PASSWORD and STORMREEL_QUEUE_PASSWORD_FILE are set', {
      hint: 'unset one of them',
    });
  return password || (file ? readSecret(file, 'STORMREEL_QUEUE_PASSWORD_FILE') : null);
}

/** The one line of a file that holds a secret; its text is never part of an error. */
export function readSecret(path: string, from: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError(`cannot read ${path} (${from}): ${code}`, {
      hint: 'give the path of a file with the password on its one line, readable by this user',
      fields: { path, code },
    });
  }
  const secret = text.replace(/\r?\n$/, '');
  if (secret !== '' && !secret.includes('\n')) return secret;
  throw new ConfigError(`${path} (${from}) should hold one line; it is empty or has several`, {
    hint: 'write the password alone into the file',
    fields: { path },
  });
}
