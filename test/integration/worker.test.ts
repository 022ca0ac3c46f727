import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { work } from '../../workers/index.js';
import { type Connection, INGEST_QUEUE, openConnection } from '../../workers/queues/index.js';
import { childrenOf, live, read } from './live.js';
import { mapName, writeMaps } from './maps.js';
import { buildWhenStale, run } from './program.js';
import { hasRedis, startRedis, type TestRedis } from './redis.js';

const SECRET = 'pa55:w/rd@%x'; // needs escapes in a URL
const SLEEPER = join(import.meta.dirname, 'sleeper.mjs');
const folder = mkdtempSync(join(tmpdir(), 'stormreel-worker-'));
const passwordFile = join(folder, 'password');
let redis: TestRedis;
let url = '';

beforeAll(async () => {
  buildWhenStale();
  writeFileSync(passwordFile, `${SECRET}\n`);
  if (!hasRedis) return;
  redis = await startRedis(['--requirepass', SECRET]);
  url = `redis://:${encodeURIComponent(SECRET)}@127.0.0.1:${redis.port}`;
});
afterAll(() => {
  redis?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

describe('stormreel worker', () => {
  it('without a Redis is an error with the cure', async () => {
    const { code, stdout } = await run(['worker', '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stdout).error).toMatchObject({
      tag: 'ConfigError',
      hint: expect.stringContaining('redis://'),
    });
  });

  it.each([
    ['--kinds', 'ingest,step', /step/],
    ['--concurrency', '0', /--concurrency/],
    ['--metrics-port', '70000', /--metrics-port/],
  ])('refuses %s %s', async (flag, value, about) => {
    const { code, stdout } = await run(['worker', '--queue', 'redis://127.0.0.1:1', flag, value, '--json']);
    expect(code).toBe(2);
    const { tag, message, hint } = JSON.parse(stdout).error;
    expect(tag).toBe('ConfigError');
    expect(message + hint).toMatch(about);
  });
});

describe.skipIf(!hasRedis)('a worker that ends', () => {
  const open: Connection[] = [];
  afterAll(async () => {
    for (const connection of open) await connection.close();
  });

  /** Works with the sleeper on a queue that is empty but for `jobs`. */
  async function begin(jobs: Record<string, object>, graceMs: number) {
    const connection = await openConnection({ url });
    open.push(connection);
    const queue = connection.queue(INGEST_QUEUE);
    await queue.obliterate({ force: true });
    const log = join(folder, `log-${Object.keys(jobs).join('-')}`);
    writeFileSync(log, '');
    for (const [jobId, data] of Object.entries(jobs))
      await queue.add('slots', { ...data, log }, { jobId, attempts: 2 });
    const enough = async (starts: number) => {
      while (readFileSync(log, 'utf8').split('\n').length - 1 < starts) await pause(20);
    };
    const worker = (kinds?: ['ingest']) => {
      const stop = new AbortController();
      const options = { queue: url, kinds, concurrency: 2, graceMs, processor: SLEEPER };
      return { stop, done: work({ ...options, signal: stop.signal }) };
    };
    return { queue, enough, worker };
  }

  it('finishes what it has in hand', async () => {
    const { queue, enough, worker } = await begin({ brief: { ms: 400 } }, 5_000);
    const { stop, done } = worker();
    await enough(1);
    stop.abort();
    expect(await done).toEqual({ jobs: { started: 1, completed: 1 }, frames: 1 });
    expect(await queue.getJobState('brief')).toBe('completed');
  });

  it('hands back what it cannot finish, within 10 s also from a child that hangs, and no attempt is used up', async () => {
    const { queue, enough, worker } = await begin(
      { slow: { ms: 60_000 }, stuck: { ms: 60_000, stuck: true } },
      500,
    );
    const first = worker(['ingest']);
    await enough(2);
    const began = Date.now();
    first.stop.abort();
    expect((await first.done).jobs).toEqual({ started: 2, 'handed-back': 2 });
    expect(Date.now() - began).toBeLessThan(10_000);
    for (const id of ['slow', 'stuck']) expect(await queue.getJobState(id)).toBe('waiting');
    for (const id of ['slow', 'stuck']) {
      const job = await queue.getJob(id);
      expect(job?.attemptsMade).toBe(0);
      await job?.updateData({ ...job.data, ms: 1 });
    }
    const second = worker();
    while ((await queue.getJobCounts('completed')).completed < 2) await pause(50);
    second.stop.abort();
    expect((await second.done).jobs).toMatchObject({ completed: 2 });
    const job = await queue.getJob('stuck');
    expect([job?.attemptsStarted, job?.attemptsMade]).toEqual([2, 1]);
  }, 40_000);
});

describe.skipIf(!hasRedis)('a worker process', () => {
  const texts: string[] = [];
  let collector: Server;
  const spans: string[] = [];
  beforeAll(async () => {
    await writeMaps(join(folder, 'maps'), 40);
    collector = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => (body += part));
      request.on('end', () => {
        spans.push(`${request.method} ${request.url} ${body}`);
        response.setHeader('content-type', 'application/json').end('{}');
      });
    });
    await new Promise<void>((done) => collector.listen(0, '127.0.0.1', done));
  });
  afterAll(() => void collector?.close());

  it('logs JSON, answers health and metrics, sends spans, ends on SIGTERM, and never shows the password', async () => {
    const { port } = collector.address() as AddressInfo;
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
    const plain = `redis://127.0.0.1:${redis.port}`;
    const byFile = { STORMREEL_QUEUE: plain, STORMREEL_QUEUE_PASSWORD_FILE: passwordFile };
    const flags = ['--concurrency', '2', '--log-format', 'json', '--metrics-port', '0'];
    const worker = live(['worker', ...flags], { ...byFile, ...endpoint });
    const address = await worker.line(/health and metrics at (\S+)"/);
    const onCommandLine = live(
      [
        'ingest',
        join(folder, 'maps'),
        '--out',
        join(folder, 'dataset'),
        '--shard-frames',
        '8',
        '--workers',
        '0',
        '--json',
        '--queue',
        url,
      ],
      endpoint,
    );
    await onCommandLine.ended;
    const { hash, frames } = JSON.parse(onCommandLine.stdout());
    expect({ frames, hash }).toEqual({ frames: 40, hash: expect.stringMatching(/^[0-9a-f]{64}$/) });

    expect(await get(`${address}/healthz`)).toMatchObject({ status: 200, text: 'ok\n' });
    expect(await get(`${address}/readyz`)).toMatchObject({ status: 200, text: 'ready\n' });
    expect(await get(`${address}/else`)).toMatchObject({ status: 404 });
    const { text: metrics } = await get(`${address}/metrics`);
    for (const line of [
      'stormreel_jobs_total{kind="slots",outcome="completed"} 5',
      'stormreel_jobs_total{kind="finalise",outcome="completed"} 1',
      'stormreel_frames_total 40',
      'stormreel_jobs_active{kind="slots"} 0',
      'stormreel_job_duration_seconds_count{kind="slots",outcome="completed"} 5',
      'stormreel_queue_up 1',
    ])
      expect(metrics).toContain(`${line}\n`);
    expect(metrics).toMatch(/stormreel_queue_jobs\{queue="stormreel-ingest",state="waiting"\} 0\n/);
    expect(metrics).toMatch(/process_resident_memory_bytes \d+/);

    const processes = [worker.pid, ...childrenOf(worker.pid)].map((pid) => read(`/proc/${pid}/cmdline`));
    const inherited = childrenOf(worker.pid).map((pid) => read(`/proc/${pid}/environ`));
    expect(inherited.filter((text) => text.includes('STORMREEL_QUEUE'))).toEqual([]);
    worker.signal('SIGTERM');
    expect(await worker.ended).toBe(0);
    const lines = worker
      .stderr()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const done = lines.filter(({ event, kind }) => event === 'completed' && kind === 'slots');
    expect(done).toHaveLength(5);
    expect(done[0]).toMatchObject({
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      level: 'info',
      job: expect.stringMatching(/^slots-/),
      dataset: join(folder, 'dataset'),
      group: expect.any(Number),
      attempt: 1,
      frames: 8,
      durationMs: expect.any(Number),
    });
    expect(spans.join('\n')).toContain('"process stormreel-ingest"');
    expect(spans[0]).toMatch(/^POST \/v1\/traces /);
    texts.push(
      ...processes,
      metrics,
      ...spans,
      ...[worker, onCommandLine].flatMap((p) => [p.stdout(), p.stderr()]),
    );
    expectNoSecret(texts);
  }, 60_000);

  it('hides a command line with a password from those who list processes', async () => {
    const worker = live(['worker', '--concurrency', '1', '--queue', url]);
    await worker.line(/waiting for jobs/);
    const row = read(`/proc/${worker.pid}/cmdline`);
    worker.signal('SIGTERM');
    expect(await worker.ended).toBe(0);
    expect(row).toContain('stormreel worker');
    expectNoSecret([row, worker.stderr(), worker.stdout()]);
  }, 30_000);

  it('tells a broken map by its file, and payloads, errors and the queue itself hold no password', async () => {
    await writeMaps(join(folder, 'broken'), 10);
    const broken = join(folder, 'broken', mapName(3));
    const spoilt = readFileSync(broken).map((byte, i, all) => (i < all.length - 100 ? byte : 0xff));
    writeFileSync(broken, spoilt); // its header is right, its deflate stream is not
    const env = { STORMREEL_QUEUE: `redis://127.0.0.1:${redis.port}`, STORMREEL_QUEUE_PASSWORD: SECRET };
    const worker = live(['worker', '--concurrency', '1', '--log-format', 'json'], env);
    await worker.line(/waiting for jobs/);
    const ingest = live(
      ['ingest', join(folder, 'broken'), '--out', join(folder, 'none'), '--workers', '0', '--json'],
      env,
    );
    expect(await ingest.ended).toBe(2);
    const failed = JSON.parse(await worker.line(/.*"event":"failed".*/));
    expect(failed).toMatchObject({ level: 'error', tag: 'BadRasterError', kind: 'slots', attempt: 1 });
    expect(failed.frame).toContain(mapName(3));
    worker.signal('SIGTERM');
    await worker.ended;
    const connection = await openConnection({ url });
    const jobs = await connection.queue(INGEST_QUEUE).getJobs();
    const kept = jobs.map((job) => JSON.stringify(job?.toJSON()));
    await connection.close();
    const wrong = await run(['queue', 'status', '--queue', url.replace('pa55', 'pa56'), '--json']);
    expect(JSON.parse(wrong.stdout).error).toMatchObject({
      tag: 'QueueError',
      hint: expect.stringContaining('STORMREEL_QUEUE_PASSWORD_FILE'),
    });
    expectNoSecret([...kept, ingest.stdout(), ingest.stderr(), worker.stderr(), wrong.stdout, wrong.stderr]);
    expectNoSecret([wrong.stdout.replaceAll('pa56', 'pa55'), wrong.stderr.replaceAll('pa56', 'pa55')]);
  }, 60_000);
});

function expectNoSecret(found: readonly string[]): void {
  for (const form of [SECRET, encodeURIComponent(SECRET), 'pa55'])
    for (const text of found)
      if (text.includes(form)) expect.fail(`the password is in: ${text.slice(0, 300)}`);
}

const get = async (address: string) => {
  const response = await fetch(address);
  return { status: response.status, text: await response.text() };
};
