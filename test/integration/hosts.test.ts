/**
 * Two hosts as far as one machine can play them: processes with their own home, temporary folder and working folder,
 * which share a Redis and the folder of maps and dataset, and nothing else.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fillHere } from './fillHere.js';
import { childrenOf, type Live, live } from './live.js';
import { writeMaps } from './maps.js';
import { buildWhenStale } from './program.js';
import { hasRedis, startRedis } from './redis.js';

const MAPS = 160;
const folder = mkdtempSync(join(tmpdir(), 'stormreel-hosts-'));
const shared = join(folder, 'shared');
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** A process on host `name`. */
function on(name: string, args: readonly string[], env: Record<string, string>): Live {
  const at = (part: string) => join(folder, name, part);
  for (const part of ['home', 'tmp', 'cwd']) mkdirSync(at(part), { recursive: true });
  return live(args, { ...env, HOME: at('home'), TMPDIR: at('tmp') }, at('cwd'));
}

describe.skipIf(!hasRedis)('two hosts over one Redis and one shared folder', () => {
  it('give the hash of a quiet run although one of them is killed amid its jobs', async () => {
    buildWhenStale();
    await writeMaps(join(shared, 'maps'), MAPS);
    const quiet = await fillHere(join(folder, 'quiet'), { sources: [join(shared, 'maps')], shardFrames: 2 });
    const redis = await startRedis();
    const env = { STORMREEL_QUEUE: `redis://127.0.0.1:${redis.port}` };
    try {
      const worker = ['worker', '--concurrency', '1', '--log-format', 'json'];
      const [first, second] = ['one', 'two'].map((name) => on(name, worker, env));
      for (const process of [first, second]) await process.line(/waiting for jobs/);
      const plan = ['ingest', join(shared, 'maps'), '--out', join(shared, 'dataset')];
      const ingest = on('three', [...plan, '--shard-frames', '2', '--workers', '0', '--json'], env);
      await first.line(/"event":"completed"/); // of some eighty
      const children = childrenOf(first.pid);
      first.signal('SIGKILL');
      expect(await first.ended).toBeNull();
      expect(await ingest.ended).toBe(0);
      const { hash, frames } = JSON.parse(ingest.stdout());
      expect({ hash, frames }).toEqual({ hash: quiet, frames: MAPS });
      expect(readdirSync(join(shared, 'dataset', 'commits'))).toHaveLength(MAPS / 2);
      expect(second.stderr()).toContain('"event":"completed"');
      second.signal('SIGTERM');
      expect(await second.ended).toBe(0);
      await expect.poll(() => children.filter(isAlive), { timeout: 20_000 }).toEqual([]);
      for (const name of ['one', 'two', 'three']) expect(readdirSync(join(folder, name, 'cwd'))).toEqual([]);
    } finally {
      redis.stop();
    }
  }, 120_000);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
