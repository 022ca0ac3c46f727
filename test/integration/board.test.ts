import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manage, openBoard } from '../../workers/index.js';
import { type Connection, INGEST_QUEUE, openConnection } from '../../workers/queues/index.js';
import { hasRedis, startRedis, type TestRedis } from './redis.js';

const CHROMIUM = '/usr/bin/chromium';
const hasChromium = existsSync(CHROMIUM);
if (!hasChromium)
  console.warn('board in a browser: skipped, no Chromium. To run it: apt-get install chromium');
const folder = mkdtempSync(join(tmpdir(), 'stormreel-board-'));
let redis: TestRedis;
let url = '';
let connection: Connection;

beforeAll(async () => {
  if (!hasRedis) return;
  redis = await startRedis();
  url = `redis://127.0.0.1:${redis.port}`;
  connection = await openConnection({ url });
});
afterAll(async () => {
  await connection?.close();
  redis?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A queue with one failed job and two that wait. */
async function fill(): Promise<void> {
  const queue = connection.queue(INGEST_QUEUE);
  await queue.obliterate({ force: true });
  await queue.add('slots', { dataset: '/data/bad', group: 0 }, { jobId: 'slots-bad', attempts: 1 });
  const worker = connection.worker(INGEST_QUEUE, async () => Promise.reject(new Error('disk went away')), {});
  while ((await queue.getJobCounts('failed')).failed < 1) await pause(20);
  await worker.close();
  for (const id of ['slots-a', 'slots-b'])
    await queue.add('slots', { dataset: '/data/d', group: 1 }, { jobId: id });
}

interface Asked {
  method?: string;
  headers?: Record<string, string>;
}

/** `fetch` would not send another Host. */
const ask = (address: string, { method = 'GET', headers = {} }: Asked = {}): Promise<number> =>
  new Promise((done, fail) => {
    const sent = request(address, { method, headers, agent: false }, (response) => {
      response.resume();
      done(response.statusCode ?? 0);
    });
    sent.on('error', fail).end();
  });
const basic = (password: string) => ({
  authorization: `Basic ${Buffer.from(`me:${password}`).toString('base64')}`,
});

describe.skipIf(!hasRedis)('the board', () => {
  it('refuses to be open to others without a password, and a port that is taken', async () => {
    const open = await openBoard({ place: url, port: 0, host: '0.0.0.0' }).catch((error) => error);
    expect(open).toMatchObject({ tag: 'ConfigError', fields: { host: '0.0.0.0' } });
    expect(open.hint).toContain('STORMREEL_BOARD_PASSWORD');
    const taken = await openBoard({ place: url, port: redis.port }).catch((error) => error);
    expect(taken).toMatchObject({ tag: 'ConfigError', fields: { code: 'EADDRINUSE' } });
  });

  it('asks for its password on every path, and knows it from wrong ones', async () => {
    const board = await openBoard({ place: url, port: 0, host: '0.0.0.0', password: 'sturm' });
    const at = board.address.replace('0.0.0.0', '127.0.0.1');
    for (const path of ['/', '/api/queues', '/static/none'])
      for (const headers of [{}, basic('wrong'), basic(''), { authorization: 'Bearer sturm' }])
        expect(await ask(at + path, { headers })).toBe(401);
    expect(await ask(`${at}/`, { headers: basic('sturm') })).toBe(200);
    expect(await ask(`${at}/api/queues`, { headers: basic('sturm') })).toBe(200);
    await board.close();
  });

  it('is read-only, and answers no page of another site that found its way to loopback', async () => {
    const board = await openBoard({ place: url, port: 0 });
    const retry = `${board.address}/api/queues/${INGEST_QUEUE}/retry/failed`;
    expect(await ask(`${board.address}/`)).toBe(200);
    expect(await ask(retry, { method: 'PUT' })).toBe(403);
    expect(await ask(`${board.address}/`, { headers: { host: 'storms.example:3400' } })).toBe(403);
    await board.close();
  });

  it('changes what --allow-changes allows, from its own pages only, and never adds or edits a job', async () => {
    await fill();
    const board = await openBoard({ place: url, port: 0, allowChanges: true });
    const at = `${board.address}/api/queues/${INGEST_QUEUE}`;
    const foreign = { origin: 'http://storms.example' };
    const put = (path: string, headers = {}, method = 'PUT') => ask(at + path, { method, headers });
    expect(await put('/retry/failed', foreign)).toBe(403);
    expect(await put('/retry/failed', { 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await put('/add', {}, 'POST')).toBe(403);
    expect(await put('/slots-a/update-data', {}, 'PATCH')).toBe(403);
    expect(await put('/concurrency')).toBe(403);
    expect((await manage(url, 'status'))[0].counts).toMatchObject({ failed: 1, waiting: 2 });
    expect(await put('/retry/failed', { origin: board.address })).toBe(200);
    expect((await manage(url, 'status'))[0].counts).toMatchObject({ failed: 0, waiting: 3 });
    await board.close();
  });

  it.skipIf(!hasChromium)(
    'shows the queue and its jobs in a browser, with the password',
    async () => {
      await fill();
      const board = await openBoard({ place: url, port: 0, password: 'sturm' });
      const browser = await chromium.launch({
        executablePath: CHROMIUM,
        args: ['--no-sandbox', '--disable-gpu', '--no-first-run'],
      });
      try {
        const page = await browser.newPage({
          viewport: { width: 1280, height: 800 },
          httpCredentials: { username: 'me', password: 'sturm' },
        });
        const faults: string[] = [];
        page.on('pageerror', (error) => faults.push(error.message));
        await page.goto(`${board.address}/queue/${INGEST_QUEUE}?status=failed`);
        await page.getByText('disk went away').first().waitFor();
        expect(await page.title()).toContain('stormreel');
        const picture = process.env.STORMREEL_TEST_PICTURE;
        if (picture) await page.screenshot({ path: picture });
        expect(faults).toEqual([]);
      } finally {
        await browser.close();
        await board.close();
      }
    },
    60_000,
  );
});

describe.skipIf(!hasRedis)('stormreel queue', () => {
  it('counts by state and kind, tells the oldest and the reasons; retries, drains and cleans', async () => {
    await fill();
    const [status] = await manage(url, 'status');
    expect(status).toMatchObject({
      name: INGEST_QUEUE,
      counts: { failed: 1, waiting: 2 },
      kinds: { slots: { waiting: 2 } },
      workers: 0,
      failed: [{ id: 'slots-bad', kind: 'slots', attempts: 1, reason: 'disk went away' }],
      reasons: [{ reason: 'disk went away', count: 1 }],
      changed: null,
    });
    expect(status.oldestWaitingMs).toBeGreaterThanOrEqual(0);
    const oldest = await connection.queue(INGEST_QUEUE).getJob('slots-a');
    expect(Date.now() - oldest!.timestamp - status.oldestWaitingMs!).toBeLessThan(5_000);
    expect((await manage(url, 'retry'))[0]).toMatchObject({ changed: 1, counts: { failed: 0, waiting: 3 } });
    expect((await manage(url, 'drain'))[0]).toMatchObject({ changed: 3, counts: { waiting: 0 }, kinds: {} });
    await fill();
    expect((await manage(url, 'clean'))[0]).toMatchObject({ changed: 1, counts: { failed: 0, waiting: 2 } });
  });
});
