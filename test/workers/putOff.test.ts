import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../pipeline/errors.js';
import { jobsInHand } from '../../workers/drain.js';
import { noteJobs } from '../../workers/notes.js';
import { endingsOf } from '../../workers/queues/endings.js';
import { toFailure } from '../../workers/queues/failure.js';
import { type Connection, openConnection, WORKER_OPTIONS } from '../../workers/queues/index.js';
import { hasten, waitedFor, waitingFor } from '../../workers/queues/putOff.js';
import { hasRedis, startRedis, type TestRedis } from '../integration/redis.js';

const root = mkdtempSync(join(tmpdir(), 'stormreel-putoff-'));
const PROCESSOR = join(root, 'processor.mjs');
/** Needs the file that its payload names; without it, it waits for the jobs of its payload. */
const TEXT = `
  import { existsSync } from 'node:fs';
  export default async function work({ data: { needs, jobs } }) {
    if (existsSync(needs)) return 'done';
    throw Object.assign(new Error('none of them is left'), { name: 'UnrecoverableError', waitingFor: jobs });
  }`;
let redis: TestRedis;
let connection: Connection;

beforeAll(async () => {
  writeFileSync(PROCESSOR, TEXT);
  if (!hasRedis) return;
  redis = await startRedis();
  connection = await openConnection({ url: `redis://127.0.0.1:${redis.port}` });
});
afterAll(async () => {
  await connection?.close();
  redis?.stop();
  rmSync(root, { recursive: true, force: true });
});

describe('waitingFor()', () => {
  it('stays with a typed error on its way through the queue', () => {
    const error = new ConfigError('slots are open', { hint: 'again', fields: {} });
    expect(waitedFor(toFailure(waitingFor(error, ['a', 'b'])))).toEqual(['a', 'b']);
    expect(waitedFor(toFailure(new ConfigError('x', { hint: 'y', fields: {} })))).toBeNull();
    expect(waitedFor(new Error('EIO'))).toBeNull();
  });
});

describe.skipIf(!hasRedis)('endingsOf()', () => {
  it('tells each of thousands of jobs apart, in their order', async () => {
    const queue = connection.queue('endings');
    const failing = new Set(['job-7', 'job-2500']);
    const ids = Array.from({ length: 3_000 }, (_, i) => `job-${i}`);
    await queue.addBulk(ids.slice(0, 2_600).map((jobId) => ({ name: 'job', data: {}, opts: { jobId } })));
    const worker = connection.worker(
      'endings',
      async ({ id }) => {
        if (failing.has(`${id}`)) throw new Error('bad');
      },
      { concurrency: 50 },
    );
    await untilIdle(queue);
    await worker.close();
    await queue.add('job', {}, { jobId: 'job-2999' });
    const endings = await endingsOf(queue, ids);
    const of = (ending: string) => ids.filter((_, i) => endings[i] === ending);
    expect(endings).toHaveLength(3_000);
    expect(of('failed')).toEqual([...failing]);
    expect(of('open')).toEqual(['job-2999']);
    expect(of('completed')).toHaveLength(2_598);
    expect(of('missing')).toEqual(ids.slice(2_600, 2_999));
  });
});

describe.skipIf(!hasRedis)('a job that waits for others', () => {
  /** The others are in the queue as `others` says; then the job `last`, which wants a file that is not there yet. */
  async function begin(name: string, others: 'late' | 'none') {
    const queue = connection.queue(name);
    if (others === 'late') await queue.add('other', {}, { jobId: 'other', delay: 3_600_000 });
    const needs = join(root, name);
    await queue.add('finalise', { needs, jobs: ['other', 'never'] }, { jobId: 'last', attempts: 2 });
    const worker = connection.worker(name, PROCESSOR, { ...WORKER_OPTIONS, concurrency: 1 });
    const inHand = jobsInHand(worker);
    const events: string[] = [];
    noteJobs(worker, ({ event, job }) => job === 'last' && events.push(event));
    return { queue, needs, events, inHand };
  }

  it('is put off, uses up no attempt, and is done when it looks again', async () => {
    const { queue, needs, events, inHand } = await begin('late', 'late');
    await expect.poll(() => events, WAIT).toContain('put-off');
    expect(events).toEqual(['started', 'put-off']);
    expect(inHand.size).toBe(0);
    const job = await queue.getJob('last');
    expect(job?.attemptsMade).toBe(0);
    expect(await job?.getState()).toBe('delayed');
    writeFileSync(needs, '');
    await hasten(queue, 'last');
    await expect.poll(() => events, WAIT).toContain('completed');
    expect(events).toEqual(['started', 'put-off', 'started', 'completed']);
    expect((await queue.getJob('last'))?.returnvalue).toBe('done');
  }, 60_000);

  it('looks again by itself', async () => {
    const { needs, events } = await begin('alone', 'late');
    await expect.poll(() => events, WAIT).toContain('put-off');
    writeFileSync(needs, '');
    await expect.poll(() => events, WAIT).toContain('completed');
  }, 60_000);

  it('fails once none of the others is in the queue', async () => {
    const { queue, needs, events } = await begin('none', 'none');
    await expect.poll(() => events, WAIT).toContain('failed');
    expect(events).toEqual(['started', 'failed']);
    expect((await queue.getJob('last'))?.failedReason).toBe('none of them is left');
    expect(existsSync(needs)).toBe(false);
  }, 60_000);
});

const WAIT = { timeout: 40_000, interval: 20 };

async function untilIdle(queue: Queue): Promise<void> {
  const left = async () => {
    const { waiting, active } = await queue.getJobCounts('waiting', 'active');
    return waiting + active;
  };
  await expect.poll(left, WAIT).toBe(0);
}
