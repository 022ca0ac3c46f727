import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { GONE_AFTER_MS, orGone } from '../../workers/queues/gone.js';
import { type Connection, openConnection, WORKER_OPTIONS } from '../../workers/queues/index.js';
import { watch } from '../../workers/watch.js';
import { accepts } from '../integration/redis.js';

const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const undo of cleanUp.splice(0).reverse()) await undo();
});

describe('a server that takes connections and never answers', () => {
  it('gives a QueueError within a quarter of a minute', async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => void sockets.add(socket.on('error', () => {})));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    cleanUp.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const started = Date.now();
    const error = await openConnection({ url: `redis://127.0.0.1:${port}` }).catch((e) => e);
    expect(error).toMatchObject({ tag: 'QueueError', fields: { where: `redis://127.0.0.1:${port}` } });
    expect(error.message).toContain('does not answer');
    expect(Date.now() - started).toBeLessThan(15_000);
  });
});

describe('orGone()', () => {
  it('gives up on a call that a lost server holds', async () => {
    vi.useFakeTimers();
    const outcome = orGone('redis://host:6379', new Promise<never>(() => {})).catch((error) => error);
    await vi.advanceTimersByTimeAsync(GONE_AFTER_MS + 1);
    expect(await outcome).toMatchObject({ tag: 'QueueError', fields: { where: 'redis://host:6379' } });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('passes on what the call gives, and what it throws', async () => {
    expect(await orGone('x', Promise.resolve(3))).toBe(3);
    const fault = new Error('refused');
    expect(await orGone('x', Promise.reject(fault)).catch((error) => error)).toBe(fault);
  });
});

describe.skipIf(!hasRedis)('a Redis that goes away in the middle', () => {
  it('and comes back with its log: the run goes on', async () => {
    const redis = await startRedis();
    const { connection, jobs } = await runOn(redis.url, 20);
    const outcome = watch(connection, { queue: 'q', jobs, onFrames: () => {} });
    await sleep(300);
    await redis.kill();
    await sleep(500);
    await redis.start();
    expect(await outcome).toBe('done');
    expect(await connection.queue('q').getJobCounts('waiting', 'active')).toEqual({
      waiting: 0,
      active: 0,
    });
  });

  it('and is emptied by somebody else: the jobs are told as lost', async () => {
    const redis = await startRedis();
    const { connection, jobs } = await runOn(redis.url, 200);
    const outcome = watch(connection, { queue: 'q', jobs, onFrames: () => {} });
    await sleep(300);
    await connection.queue('q').obliterate({ force: true });
    expect(await outcome).toBe('lost');
  });
});

/** `count` jobs of 50 ms, and a worker at them. */
async function runOn(
  url: string,
  count: number,
): Promise<{ connection: Connection; jobs: { id: string; frames: number }[] }> {
  const connection = await openConnection({ url });
  cleanUp.push(() => connection.close());
  const jobs = Array.from({ length: count }, (_, i) => ({ id: `job-${i}`, frames: 1 }));
  const opts = (jobId: string) => ({ jobId, attempts: 8 });
  await connection.queue('q').addBulk(jobs.map(({ id }) => ({ name: 'job', data: {}, opts: opts(id) })));
  connection.worker('q', () => sleep(50), WORKER_OPTIONS);
  return { connection, jobs };
}

async function startRedis() {
  const folder = mkdtempSync(join(tmpdir(), 'stormreel-away-'));
  const probe = createServer();
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done));
  const { port } = probe.address() as AddressInfo;
  await new Promise((done) => probe.close(done));
  let server: ChildProcess | null = null;
  const kill = async () => {
    const ended = new Promise((done) => server?.once('exit', done));
    server?.kill('SIGKILL');
    await ended;
  };
  const start = async () => {
    const args = ['--port', `${port}`, '--save', '', '--appendonly', 'yes', '--dir', folder];
    server = spawn('redis-server', [...args, '--bind', '127.0.0.1'], { stdio: 'ignore' });
    while (!(await accepts(port))) await sleep(30);
  };
  await start();
  cleanUp.push(async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  });
  return { url: `redis://127.0.0.1:${port}`, kill, start };
}
