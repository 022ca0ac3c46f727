import type { Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  enqueue,
  enqueueFinalise,
  forgetFinalise,
  withdraw,
  withdrawFinalise,
} from '../../workers/enqueue.js';
import type { OpenGroups } from '../../workers/openGroups.js';
import {
  type Connection,
  contentId,
  INGEST_QUEUE,
  openConnection,
  WORKER_OPTIONS,
} from '../../workers/queues/index.js';
import { watch, watchOne } from '../../workers/watch.js';
import { hasRedis, startRedis, type TestRedis } from '../integration/redis.js';

let redis: TestRedis;
let connection: Connection;
let queue: Queue;

beforeAll(async () => {
  if (!hasRedis) return;
  redis = await startRedis();
  connection = await openConnection({ url: `redis://127.0.0.1:${redis.port}` });
  queue = connection.queue(INGEST_QUEUE);
});
afterAll(async () => {
  await connection?.close();
  redis?.stop();
});
afterEach(() => queue?.obliterate({ force: true }));

const groupsOf = (dataset: string, count: number, revision = 1): OpenGroups => ({
  dataset,
  revision,
  onBadFrame: 'stop',
  jobs: Array.from({ length: count }, (_, group) => ({
    id: contentId('slots', dataset, group),
    frames: 2,
    group,
    key: contentId('g', group),
  })),
});
const finaliseIds = async () =>
  (await queue.getRanges(['waiting', 'delayed'], 0, -1)).filter((id) => id.startsWith('finalise-'));
const counts = () => queue.getJobCounts('waiting', 'delayed', 'failed', 'completed');
const ids = ({ jobs }: OpenGroups) => jobs.map(({ id }) => id);

describe.skipIf(!hasRedis)('enqueue() on Redis', () => {
  it('puts the groups in plan order and finalise behind them; twice, or by two planners, changes nothing', async () => {
    const groups = groupsOf('/a', 1_203);
    await Promise.all([enqueue(connection, groups), enqueue(connection, groups)]);
    await enqueue(connection, groups);
    const waiting = await queue.getRanges(['waiting'], 0, -1); // the last added first
    expect(waiting).toHaveLength(1_204);
    expect(waiting[0]).toMatch(/^finalise-/);
    const alone = groupsOf('/b', 30);
    await enqueue(connection, alone);
    expect((await queue.getRanges(['waiting'], 0, -1)).slice(0, 31).reverse()).toEqual([
      ...ids(alone),
      expect.stringMatching(/^finalise-/),
    ]);
  });

  it('makes finished jobs anew and leaves those that wait', async () => {
    const groups = groupsOf('/c', 40);
    await enqueue(connection, { ...groups, jobs: groups.jobs.slice(0, 20) });
    let left = 20;
    const worker = connection.worker(
      INGEST_QUEUE,
      async () => {
        if (left-- % 2) throw Object.assign(new Error('bad'), { name: 'UnrecoverableError' });
      },
      WORKER_OPTIONS,
    );
    await expect.poll(counts, WAIT).toMatchObject({ waiting: 0, delayed: 0 });
    await worker.close();
    expect(await counts()).toMatchObject({ completed: 11, failed: 10 });
    await enqueue(connection, groups);
    expect(await counts()).toEqual({ waiting: 41, delayed: 0, completed: 0, failed: 0 });
  });

  it('takes back the finalise of an older plan that was put off, and of no other dataset', async () => {
    const later = { delay: 3_600_000 };
    for (let i = 0; i < 5; i++)
      await queue.add('slots', { dataset: '/d' }, { jobId: `slots-${i}`, delay: 9 });
    await queue.add('finalise', { dataset: '/d' }, { jobId: 'finalise-old', ...later });
    await queue.add('finalise', { dataset: '/e' }, { jobId: 'finalise-other', ...later });
    await enqueue(connection, groupsOf('/d', 3, 2));
    expect((await finaliseIds()).sort()).toEqual([
      expect.stringMatching(/^finalise-[\w-]{22}$/),
      'finalise-other',
    ]);
    await withdrawFinalise(queue, '/e');
    expect(await finaliseIds()).toHaveLength(1);
  });
});

describe.skipIf(!hasRedis)('enqueueFinalise() on Redis', () => {
  const groups = groupsOf('/f', 2);

  it('brings the job to the front of its wait, and makes it anew where it failed or is gone', async () => {
    await enqueue(connection, groups);
    const [id] = await finaliseIds();
    const worker = connection.worker(
      INGEST_QUEUE,
      async (job, token) => {
        if (job.name !== 'finalise' || job.attemptsStarted > 1) return null;
        await job.moveToDelayed(Date.now() + 3_600_000, token);
        throw Object.assign(new Error('later'), { name: 'DelayedError' });
      },
      WORKER_OPTIONS,
    );
    await expect.poll(() => queue.getJobState(id), WAIT).toBe('delayed');
    expect(await enqueueFinalise(connection, groups)).toBe(id);
    expect(await watchOne(connection, { queue: INGEST_QUEUE, id })).toBe('done');
    await worker.close();
    await forgetFinalise(queue, groups);
    expect(await queue.getJobState(id)).toBe('unknown');
    await enqueueFinalise(connection, groups);
    expect(await queue.getJobState(id)).toBe('waiting');
    const failing = connection.worker(INGEST_QUEUE, fail, WORKER_OPTIONS);
    await expect.poll(() => queue.getJobState(id), WAIT).toBe('failed');
    await failing.close();
    await enqueueFinalise(connection, groups);
    expect(await queue.getJobState(id)).toBe('waiting');
  });
});

describe.skipIf(!hasRedis)('withdraw() on Redis', () => {
  it('takes back what waits, and leaves what failed to be seen', async () => {
    const [groups, other] = [groupsOf('/g', 1_100), groupsOf('/h', 10)];
    await enqueue(connection, { ...groups, jobs: groups.jobs.slice(0, 5) });
    const worker = connection.worker(INGEST_QUEUE, fail, WORKER_OPTIONS);
    const outcome = await watch(connection, {
      queue: INGEST_QUEUE,
      jobs: groups.jobs.slice(0, 5),
      onFrames: () => {},
    }).catch((error) => error);
    expect(outcome.message).toMatch(/^5 of 5 jobs failed after all attempts/);
    await expect.poll(counts, WAIT).toMatchObject({ failed: 6 }); // finalise too
    await worker.close();
    await enqueue(connection, { ...groups, jobs: groups.jobs.slice(5) });
    await enqueue(connection, other);
    await withdraw(queue, groups);
    expect(await counts()).toEqual({ waiting: 11, delayed: 0, completed: 0, failed: 5 });
  });
});

describe.skipIf(!hasRedis)('watch() on Redis', () => {
  it('sees every end of thousands of jobs, out of order too, and counts their frames', async () => {
    const groups = groupsOf('/i', 1_500);
    let tries = 0;
    const worker = connection.worker(
      INGEST_QUEUE,
      async (job) => {
        if (job.data.group < 100 && job.attemptsMade === 0 && ++tries) throw new Error('passing fault');
      },
      { ...WORKER_OPTIONS, concurrency: 20 },
    );
    await enqueue(connection, groups);
    const told: number[] = [];
    const onFrames = (frames: number) => told.push(frames);
    expect(await watch(connection, { queue: INGEST_QUEUE, jobs: groups.jobs, onFrames })).toBe('done');
    await worker.close();
    expect(tries).toBe(100);
    expect(told.at(-1)).toBe(3_000);
    expect(told).toEqual([...told].sort((a, b) => a - b));
  }, 60_000);

  it('tells frames of a job that runs', async () => {
    const groups = groupsOf('/j', 1);
    let end = () => {};
    const worker = connection.worker(
      INGEST_QUEUE,
      async (job) => {
        await job.updateProgress({ frames: 1 });
        if (job.name === 'slots') await new Promise<void>((done) => (end = done));
      },
      WORKER_OPTIONS,
    );
    await enqueue(connection, groups);
    const told: number[] = [];
    const outcome = watch(connection, {
      queue: INGEST_QUEUE,
      jobs: groups.jobs,
      onFrames: (frames) => told.push(frames),
    });
    await expect.poll(() => told, WAIT).toEqual([0, 1]);
    end();
    expect(await outcome).toBe('done');
    await worker.close();
    expect(told).toEqual([0, 1, 2]);
  }, 60_000);

  it('tells a job as lost that is in none of the lists, and takes it out so that it can be added again', async () => {
    const groups = groupsOf('/k', 1);
    await enqueue(connection, groups);
    const client = await queue.backend.client;
    await client.del(queue.toKey('wait'));
    const outcome = watch(connection, { queue: INGEST_QUEUE, jobs: groups.jobs, onFrames: () => {} });
    expect(await outcome).toBe('lost');
    await enqueue(connection, groups);
    expect(await queue.getJobState(groups.jobs[0].id)).toBe('waiting');
  }, 60_000);
});

const WAIT = { timeout: 40_000, interval: 20 };

async function fail(): Promise<never> {
  throw Object.assign(new Error('bad'), { name: 'UnrecoverableError' });
}
