/**
 * Redis memory over a million finished jobs: plans as ingest puts them on the queue (our ids, payloads, options), with workers that
 * do nothing, on a Redis of its own. Some jobs fail for good, so that kept failures count too.
 *
 *   node bench/queue/retention.mjs [--jobs 1000000] [--flow 10000] [--json]
 *
 * Prints used_memory with the queue empty of work, at every tenth; it must not grow with the number of jobs.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { UnrecoverableError } from 'bullmq';
import { Redis } from 'ioredis';
import { enqueue } from '../../dist/workers/enqueue.js';
import {
  contentId,
  INGEST_QUEUE,
  JOB_OPTIONS,
  openConnection,
  payload,
  WORKER_OPTIONS,
} from '../../dist/workers/queues/index.js';

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '1000000' },
    flow: { type: 'string', default: '10000' },
    json: { type: 'boolean', default: false },
  },
});
const JOBS = Number(values.jobs);
const FLOW = Math.min(Number(values.flow), JOBS / 10);
const FAILURES_PER_FLOW = 50;
const IN_HAND = 100; // jobs side by side in this process; they do nothing

const port = await freePort();
const dir = mkdtempSync(join(tmpdir(), 'stormreel-retention-'));
const server = spawn(
  'redis-server',
  ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'yes'],
  { stdio: 'ignore' },
);
const redis = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: null });
redis.on('error', () => {});
try {
  await redis.ping(); // waits until it listens
  const rows = await measure();
  if (values.json) console.log(JSON.stringify({ jobs: JOBS, flow: FLOW, rows }));
  else table(rows);
} finally {
  redis.disconnect();
  server.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
}

async function measure() {
  const connection = await openConnection({ url: `redis://127.0.0.1:${port}` });
  connection.worker(INGEST_QUEUE, nothing, { ...WORKER_OPTIONS, concurrency: IN_HAND });
  const queue = connection.queue(INGEST_QUEUE);
  const rows = [await row(0, 0)];
  const began = Date.now();
  let peak = 0;
  for (let flow = 0; flow * FLOW < JOBS; flow++) {
    await enqueue(connection, groupsOf(flow));
    await queue.addBulk(failing(flow));
    peak = Math.max(peak, await usedMemory());
    while (!(await isIdle(queue))) await sleep(50);
    const done = (flow + 1) * FLOW;
    if (done % (JOBS / 10) !== 0) continue;
    rows.push(await row(done, peak, (Date.now() - began) / 1_000));
    console.error(JSON.stringify(rows.at(-1)));
    peak = 0;
  }
  await connection.close();
  return rows;
}

async function nothing(job) {
  if (job.data.key === 'bad') throw new UnrecoverableError('a map of this group cannot be read');
  return { frames: 64 };
}

function groupsOf(flow) {
  const dataset = `/data/retention/${flow}`;
  const jobs = Array.from({ length: FLOW }, (_, group) => {
    const key = contentId('g', flow, group);
    return { id: contentId('slots', dataset, key, 'skip'), frames: 64, group, key };
  });
  return { dataset, revision: 1, onBadFrame: 'skip', jobs };
}

function failing(flow) {
  return Array.from({ length: FAILURES_PER_FLOW }, (_, group) => ({
    name: 'slots',
    data: payload('slots', {
      dataset: `/data/bad/${flow}`,
      revision: 1,
      group,
      key: 'bad',
      onBadFrame: 'skip',
    }),
    opts: { ...JOB_OPTIONS, jobId: contentId('slots', 'bad', flow, group) },
  }));
}

async function isIdle(queue) {
  const { waiting, active, delayed } = await queue.getJobCounts('waiting', 'active', 'delayed');
  return waiting + active + delayed === 0;
}

async function row(jobs, peak, seconds = 0) {
  return {
    jobs,
    usedMiB: mib(await usedMemory()),
    peakMiB: mib(peak),
    keys: await redis.dbsize(),
    events: await redis.xlen(`bull:${INGEST_QUEUE}:events`),
    seconds: Math.round(seconds),
  };
}

function mib(bytes) {
  return Math.round((bytes / 2 ** 20) * 10) / 10;
}

async function usedMemory() {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))[1]);
}

function table(rows) {
  console.log('| jobs | used memory, MiB | with a plan waiting, MiB | keys | events kept |');
  console.log('|---|---|---|---|---|');
  for (const { jobs, usedMiB, peakMiB, keys, events } of rows)
    console.log(`| ${jobs.toLocaleString('en')} | ${usedMiB} | ${peakMiB || ''} | ${keys} | ${events} |`);
}

function freePort() {
  return new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = probe.address();
      probe.close(() => done(free));
    });
  });
}
