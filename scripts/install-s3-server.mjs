/**
 * Installs the two S3 servers of the tests from PyPI, into the cache and nowhere else: moto (writes on condition) and
 * nanio (takes the condition and does not look at it). Needs python3 and its pip; nothing is done where they are there.
 *
 *   node scripts/install-s3-server.mjs
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGES = ['moto[s3]==5.2.5', 'flask==3.1.3', 'flask-cors==6.0.5', 'nanio==0.1.7'];
const cache =
  process.env.STORMREEL_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'stormreel');

/** Folder for PYTHONPATH; it is there only when it is complete. */
export const S3_SERVERS = join(cache, 'test-servers-moto5.2.5-nanio0.1.7');

function install() {
  if (existsSync(S3_SERVERS)) return true;
  const temporary = `${S3_SERVERS}.${process.pid}.tmp`;
  mkdirSync(dirname(S3_SERVERS), { recursive: true });
  const pip = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--target',
    temporary,
    ...PACKAGES,
  ];
  const { status } = spawnSync('python3', pip, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status === 0) renameSync(temporary, S3_SERVERS);
  else rmSync(temporary, { recursive: true, force: true });
  return status === 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const done = install();
  console.log(
    done
      ? `the S3 servers of the tests are in ${S3_SERVERS}`
      : 'pip could not install the S3 servers of the tests',
  );
  process.exitCode = done ? 0 : 1;
}
