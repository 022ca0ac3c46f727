/**
 * What our queue costs beside bare BullMQ: no-op jobs a second, from adding them to the end of the last, on the same back
 * end; ours with payload checks, retries, locks of our length, finish tracking and the finalise job. Runs alternate.
 * Then the time in which a plan of 10,000 slots is on the queue.
 *
 *   npm run bench:queue            npm run bench:queue -- --jobs 2000 --rounds 9 --queue redis --json
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createPostgresBackend, Queue, Worker } from 'bullmq';
import { enqueue, enqueueFinalise } from '../../dist/workers/enqueue.js';
import { contentId, INGEST_QUEUE, openConnection, WORKER_OPTIONS } from '../../dist/workers/queues/index.js';
import { openPglite } from '../../dist/workers/queues/pglite.js';
import { watch, watchOne } from '../../dist/workers/watch.js';
import { hasRedis, startRedis } from './redis.mjs';
import { median } from './statistics.mjs';

const CONCURRENCY = 4;
const PLAN = 10_000;
const TARGETS = { ratio: 0.85, planSeconds: { pglite: 5, redis: 2 } };

const { values: flags } = parseArgs({
  options: {
    jobs: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '7' },
    /** One back end alone. */
    queue: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const jobs = Number(flags.jobs);
const folder = mkdtempSync(join(tmpdir(), 'stormreel-bench-queue-'));
const redis = flags.queue !== 'pglite' && hasRedis() ? await startRedis(join(folder, 'redis')) : null;
if (!redis && flags.queue !== 'pglite') console.error('redis-server is missing: PGlite alone is measured');

const table = [];
for (const kind of ['pglite', 'redis'].filter(
  (each) => (redis || each === 'pglite') && each === (flags.queue ?? each),
)) {
  const rates = { bare: [], ours: [] };
  for (let round = 0; round < Number(flags.rounds); round++) {
    // Whoever comes first meets a colder machine.
    for (const who of round % 2 ? ['ours', 'bare'] : ['bare', 'ours']) {
      const seconds = await (who === 'bare' ? bare : ours)(kind, `${round}`);
      rates[who].push(jobs / seconds);
    }
    console.error(
      `  ${kind} ${round}: bare ${rates.bare.at(-1).toFixed(0)}, ours ${rates.ours.at(-1).toFixed(0)} jobs/s`,
    );
  }
  const ratios = rates.ours.map((rate, i) => rate / rates.bare[i]);
  const planSeconds = median([await plan(kind, 0), await plan(kind, 1), await plan(kind, 2)]);
  table.push({
    backEnd: kind,
    bare: Math.round(median(rates.bare)),
    ours: Math.round(median(rates.ours)),
    ratio: Number(median(ratios).toFixed(3)),
    planSeconds: Number(planSeconds.toFixed(2)),
  });
}
redis?.stop();
rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
if (flags.json) console.log(JSON.stringify({ jobs, rounds: Number(flags.rounds), targets: TARGETS, table }));
else print();

function place(kind, name) {
  return kind === 'redis' ? { url: redis.url } : { folder: join(folder, name) };
}

/** Seconds for all jobs with plain BullMQ and its defaults. */
async function bare(kind, name) {
  if (kind === 'pglite') mkdirSync(join(folder, 'bare'), { recursive: true });
  const opened = kind === 'redis' ? null : await openPglite(join(folder, 'bare'));
  const { port } = redis ? new URL(redis.url) : {};
  const connection = opened?.pool ?? { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
  const more = opened ? [createPostgresBackend] : [];
  const queue = new Queue(`bare-${name}`, { connection }, ...more);
  const worker = new Worker(
    queue.name,
    async () => ({ frames: 1 }),
    { connection, concurrency: CONCURRENCY },
    ...more,
  );
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
  const started = performance.now();
  let done = 0;
  const all = new Promise((end) => worker.on('completed', () => ++done === jobs && end()));
  await queue.addBulk(
    Array.from({ length: jobs }, (_, i) => ({ name: 'slots', data: { dataset: '/d', group: i } })),
  );
  await all;
  const seconds = (performance.now() - started) / 1000;
  await worker.close();
  await queue.obliterate({ force: true });
  await queue.close();
  await opened?.close();
  return seconds;
}

/** Seconds for all jobs as an ingest puts and follows them. */
async function ours(kind, name) {
  const connection = await openConnection(place(kind, 'ours'));
  const options = { ...WORKER_OPTIONS, concurrency: CONCURRENCY };
  const worker = connection.worker(INGEST_QUEUE, async () => ({ frames: 1 }), options);
  await Promise.all([connection.queue(INGEST_QUEUE).waitUntilReady(), worker.waitUntilReady()]);
  const groups = groupsOf(`/dataset-${name}`, jobs);
  const started = performance.now();
  await enqueue(connection, groups);
  await watch(connection, { queue: INGEST_QUEUE, jobs: groups.jobs, onFrames: () => {} });
  await watchOne(connection, { queue: INGEST_QUEUE, id: await enqueueFinalise(connection, groups) });
  const seconds = (performance.now() - started) / 1000;
  await worker.close();
  await connection.queue(INGEST_QUEUE).obliterate({ force: true });
  await connection.close();
  return seconds;
}

/** Seconds until a plan of so many slots is on the queue. */
async function plan(kind, round) {
  const connection = await openConnection(place(kind, 'plan'));
  await connection.queue(INGEST_QUEUE).waitUntilReady();
  const groups = groupsOf(`/plan-${round}`, PLAN);
  const started = performance.now();
  await enqueue(connection, groups);
  const seconds = (performance.now() - started) / 1000;
  await connection.queue(INGEST_QUEUE).obliterate({ force: true });
  await connection.close();
  return seconds;
}

function groupsOf(dataset, count) {
  const key = (i) => contentId('g', dataset, i);
  const open = Array.from({ length: count }, (_, i) => ({
    id: contentId('slots', dataset, i),
    frames: 1,
    group: i,
    key: key(i),
  }));
  return { dataset, revision: 1, onBadFrame: 'stop', jobs: open };
}

function print() {
  console.log(
    `no-op jobs/s, ${jobs} jobs, median of ${flags.rounds} alternating runs, concurrency ${CONCURRENCY}`,
  );
  console.log('back end   bare   ours   ratio (target)   plan of 10,000 (target)');
  for (const row of table) {
    const rates = `${String(row.bare).padStart(6)} ${String(row.ours).padStart(6)}`;
    const target = TARGETS.planSeconds[row.backEnd];
    console.log(
      `${row.backEnd.padEnd(8)} ${rates}   ${row.ratio.toFixed(2)} (${TARGETS.ratio})      ${row.planSeconds} s (${target} s)`,
    );
  }
}
