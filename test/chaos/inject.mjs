/**
 * Loaded into the child processes of a round by NODE_OPTIONS: the file system fails now and then and is slow. Which
 * attempt at which slot fails is a pure function of the seed. The product knows nothing of this file.
 */
import fs, { appendFileSync, mkdirSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { draw } from './draws.mjs';

const settings = JSON.parse(process.env.STORMREEL_CHAOS_INJECT ?? 'null');
if (settings && process.argv.some((word) => /bullmq.*main|twin\.mjs$/.test(word))) install(settings);

/** `folder`: where attempts are counted; `failShare`: of attempts; `delayMs`: mean, before each of two steps. */
function install({ seed, folder, failShare, delayMs }) {
  const { link, rename } = fs.promises;
  const attempts = new Map(); // slot -> number of the attempt that this process makes
  mkdirSync(folder, { recursive: true });

  fs.promises.rename = async (from, to) => {
    const slot = /shards\/.*\/(.+)-[0-9a-f]{8}\.arrow$/.exec(String(to))?.[1];
    if (!slot) return rename(from, to);
    const attempt = countOf(join(folder, slot));
    attempts.set(slot, attempt);
    await sleep(2 * delayMs * draw(seed, slot, attempt, 'shard'));
    if (draw(seed, slot, attempt) < failShare / 2) fail(slot, 'rename');
    return rename(from, to);
  };
  fs.promises.link = async (from, to) => {
    if (basename(dirname(String(to))) !== 'commits') return link(from, to);
    const slot = basename(String(to), '.json');
    const attempt = attempts.get(slot) ?? 0;
    await sleep(2 * delayMs * draw(seed, slot, attempt, 'commit'));
    const at = draw(seed, slot, attempt);
    if (at >= failShare / 2 && at < failShare) fail(slot, 'link');
    await link(from, to);
    if (at >= failShare && at < failShare * 1.2) fail(slot, 'told'); // made, but told as failed, as NFS may
  };
  syncBuiltinESMExports();

  function fail(slot, step) {
    appendFileSync(join(folder, 'failures'), `${slot} ${step}\n`);
    throw Object.assign(new Error(`EIO: injected at ${step}`), { code: 'EIO', errno: -5, syscall: step });
  }
}

/** How many attempts came before; one byte each. */
function countOf(file) {
  appendFileSync(file, '.');
  return fs.statSync(file).size - 1;
}
