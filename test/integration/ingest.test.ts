import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mapName, writeMaps } from './maps.js';
import { buildWhenStale, run, start } from './program.js';
import { hasRedis, startRedis, type TestRedis } from './redis.js';

const MAPS = 300;
const SLOTS = Math.ceil(MAPS / 8);
const folder = mkdtempSync(join(tmpdir(), 'stormreel-ingest-'));
const maps = join(folder, 'maps');
let redis: TestRedis | null = null;
let queueUrl = '';
let undisturbed = '';

beforeAll(async () => {
  buildWhenStale();
  await writeMaps(maps, MAPS);
  if (!hasRedis) return;
  redis = await startRedis(['--requirepass', 'correct']);
  queueUrl = `redis://:correct@127.0.0.1:${redis.port}`;
});

afterAll(() => {
  redis?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

const ingestArgs = (dataset: string, queue: string | null, ...more: string[]) => [
  'ingest',
  maps,
  '--out',
  join(folder, dataset),
  '--shard-frames',
  '8',
  '--workers',
  '2',
  '--json',
  ...(queue ? ['--queue', queue] : []),
  ...more,
];

describe('ingest through the queue inside the process', () => {
  it('fills every slot, and the same command again changes nothing', async () => {
    const first = await run(ingestArgs('calm', null));
    expect(first).toMatchObject({ code: 0 });
    const result = JSON.parse(first.stdout);
    expect(result).toMatchObject({ frames: MAPS, bad: 0, series: 1, labels: null });
    expect(result.hash).toMatch(/^[0-9a-f]{64}$/);
    undisturbed = result.hash;
    expect(commits('calm')).toBe(SLOTS);
    const before = readdirSync(join(folder, 'calm'), { recursive: true }).filter(notQueue).sort();
    const second = await run(ingestArgs('calm', null));
    expect(JSON.parse(second.stdout).hash).toBe(undisturbed);
    expect(readdirSync(join(folder, 'calm'), { recursive: true }).filter(notQueue).sort()).toEqual(before);
    expect((await run(['dataset', 'hash', join(folder, 'calm')])).stdout).toBe(`${undisturbed}\n`);
    expect((await run(['dataset', 'verify', join(folder, 'calm')])).code).toBe(0);
  });

  it('ends with the same hash after three kills, and no child outlives its parent', async () => {
    await killedThrice('killed', null);
  });

  it('stops at a broken map with its own error and keeps what is committed; skip marks it as bad', async () => {
    const broken = join(folder, 'broken');
    await writeMaps(broken, 24);
    await truncate(join(broken, mapName(13)), 500);
    const args = (rule: string) => [
      'ingest',
      broken,
      '--out',
      join(folder, `broken-${rule}`),
      '--shard-frames',
      '8',
      '--workers',
      '1',
      '--on-bad-frame',
      rule,
      '--json',
    ];
    const stopped = await run(args('stop'));
    expect(stopped.code).toBe(2);
    expect(JSON.parse(stopped.stdout).error).toMatchObject({
      tag: 'BadRasterError',
      message: expect.stringContaining(mapName(13)),
      hint: expect.any(String),
    });
    const skipped = await run(args('skip'));
    expect(skipped.code).toBe(0);
    const { frames, bad, rejected } = JSON.parse(skipped.stdout);
    expect(frames + rejected).toBe(24);
    expect(bad + rejected).toBe(1);
  });
});

describe.skipIf(!hasRedis)('ingest through Redis', () => {
  it('gives the hash of the queue inside the process, after three kills too', async () => {
    await killedThrice('redis', queueUrl);
  });

  it('lets a worker elsewhere do the work', async () => {
    const worker = start(['worker', '--queue', queueUrl, '--workers', '1']);
    const done = await run(ingestArgs('elsewhere', queueUrl, '--workers', '0'));
    worker.kill();
    expect(JSON.parse(done.stdout).hash).toBe(undisturbed);
  });

  it('is ended by workers elsewhere when its planner is killed', async () => {
    const worker = start(['worker', '--queue', queueUrl, '--workers', '1']);
    const planner = start(ingestArgs('orphan', queueUrl, '--workers', '0'));
    while (commits('orphan') < 1) await sleep(2);
    planner.kill();
    expect((await planner.ended).signal).toBe('SIGKILL');
    const manifest = join(folder, 'orphan', 'manifest.json');
    await expect.poll(() => existsSync(manifest), { timeout: 60_000, interval: 50 }).toBe(true);
    worker.kill();
    expect((await run(['dataset', 'hash', join(folder, 'orphan')])).stdout).toBe(`${undisturbed}\n`);
  }, 120_000);

  it('tells a wrong password without showing it', async () => {
    const url = queueUrl.replace('correct', 'wrong');
    const { code, stdout, stderr } = await run(ingestArgs('refused', url));
    expect(code).toBe(2);
    expect(JSON.parse(stdout).error.tag).toBe('QueueError');
    expect(stdout + stderr).not.toContain('wrong');
  });
});

/** Kills the main process alone, each time when a few more slots are committed. */
async function killedThrice(dataset: string, queue: string | null): Promise<void> {
  for (const enough of [1, 8, 16]) {
    const running = start(ingestArgs(dataset, queue));
    let children: number[] = [];
    while (commits(dataset) < enough) {
      children = childrenOf(running.pid);
      await sleep(2);
    }
    children = [...new Set([...children, ...childrenOf(running.pid)])];
    running.kill();
    expect((await running.ended).signal).toBe('SIGKILL');
    expect(existsSync(join(folder, dataset, 'manifest.json'))).toBe(false);
    expect(commits(dataset)).toBeLessThan(SLOTS);
    for (let i = 0; i < 100 && children.some(isAlive); i++) await sleep(50);
    expect(children.filter(isAlive)).toEqual([]);
  }
  const last = await run(ingestArgs(dataset, queue));
  expect(last).toMatchObject({ code: 0 });
  expect(JSON.parse(last.stdout).hash).toBe(undisturbed);
  expect((await run(['dataset', 'verify', join(folder, dataset)])).code).toBe(0);
}

const notQueue = (name: unknown): boolean => !String(name).startsWith('queue');

function commits(dataset: string): number {
  const at = join(folder, dataset, 'commits');
  return existsSync(at) ? readdirSync(at).filter((name) => /^[^.].*\.json$/.test(name)).length : 0;
}

/** Linux only; elsewhere nothing is looked for. */
function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return text ? text.split(' ').map(Number) : [];
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
