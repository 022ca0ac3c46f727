/**
 * How long a job stands still after its process was killed: from SIGKILL to the first sign that it is worked on again.
 * Redis: a worker (`stormreel worker`'s settings) dies, another one lives. PGlite: a child dies under its owner.
 *
 *   npm run bench:restart            npm run bench:restart -- --kills 30 --json
 */
import { fork } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  INGEST_QUEUE,
  JOB_OPTIONS,
  openConnection,
  WORKER_OPTIONS,
} from '../../dist/workers/queues/index.js';
import { hasRedis, startRedis } from './redis.mjs';
import { quantile } from './statistics.mjs';

const SLEEPER = fileURLToPath(new URL('sleeper.mjs', import.meta.url));
const TARGET_SECONDS = 7;
const row = (killed, seconds) => {
  const at = (share) => Number(quantile(seconds, share).toFixed(2));
  return { killed, p50: at(0.5), p95: at(0.95), max: at(1) };
};
const self = fileURLToPath(import.meta.url);
if (process.argv[2] === 'worker') await serve(process.argv[3]);
else await measure();

async function measure() {
  const { values: flags } = parseArgs({
    options: { kills: { type: 'string', default: '30' }, json: { type: 'boolean', default: false } },
  });
  const kills = Number(flags.kills);
  const folder = mkdtempSync(join(tmpdir(), 'stormreel-bench-restart-'));
  const table = [];
  if (hasRedis()) table.push(row('worker of Redis', await killWorkers(join(folder, 'redis'), kills)));
  else console.error('redis-server is missing: PGlite alone is measured');
  table.push(row('child under PGlite', await killChildren(join(folder, 'pglite'), kills)));
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  if (flags.json) return console.log(JSON.stringify({ kills, targetSeconds: TARGET_SECONDS, table }));
  console.log(
    `seconds from SIGKILL until the job is worked on again, ${kills} kills each; target p95 < ${TARGET_SECONDS}`,
  );
  for (const { killed, p50, p95, max } of table)
    console.log(`${killed.padEnd(20)} p50 ${p50}   p95 ${p95}   max ${max}`);
}

/** Two workers of one child each; the one that has the job is killed, and a new one takes its place. */
async function killWorkers(folder, kills) {
  const redis = await startRedis(folder);
  const connection = await openConnection({ url: redis.url });
  const start = () => fork(self, ['worker', redis.url], { stdio: 'ignore' });
  const workers = [start(), start()];
  await sleep(2_000);
  const seconds = [];
  for (let i = 0; i < kills; i++) {
    const signs = join(folder, `job-${i}`);
    await connection.queue(INGEST_QUEUE).add('job', { signs }, { ...JOB_OPTIONS, jobId: `job-${i}` });
    const [{ parent }] = await signsOf(signs, 1);
    await sleep((i * 997) % 3_000); // anywhere between two renewals of the lock
    const place = workers.findIndex(({ pid }) => pid === parent);
    const killed = Date.now();
    workers[place].kill('SIGKILL');
    const [, second] = await signsOf(signs, 2);
    seconds.push((second.at - killed) / 1000);
    appendFileSync(`${signs}.end`, '.');
    workers[place] = start();
    await sleep(1_500);
  }
  for (const worker of workers) worker.kill('SIGKILL');
  await connection.close();
  redis.stop();
  return seconds;
}

/** The owner lives in this process; the child that has the job is killed. */
async function killChildren(folder, kills) {
  mkdirSync(folder, { recursive: true });
  const connection = await openConnection({ folder: join(folder, 'queue') });
  connection.worker(INGEST_QUEUE, SLEEPER, { ...WORKER_OPTIONS, concurrency: 1 });
  const seconds = [];
  for (let i = 0; i < kills; i++) {
    const signs = join(folder, `job-${i}`);
    await connection.queue(INGEST_QUEUE).add('job', { signs }, { ...JOB_OPTIONS, jobId: `job-${i}` });
    const [{ pid }] = await signsOf(signs, 1);
    await sleep((i * 997) % 1_000);
    const killed = Date.now();
    process.kill(pid, 'SIGKILL');
    const [, second] = await signsOf(signs, 2);
    seconds.push((second.at - killed) / 1000);
    appendFileSync(`${signs}.end`, '.');
    await sleep(200);
  }
  await connection.close();
  return seconds;
}

/** What the attempts at a job wrote when they began, once there are `count` of them. */
async function signsOf(file, count) {
  for (;;) {
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
    if (lines.length >= count && lines[0]) return lines.map((line) => JSON.parse(line));
    await sleep(5);
  }
}

/** A worker process as `stormreel worker` runs one. */
async function serve(url) {
  const connection = await openConnection({ url });
  connection.worker(INGEST_QUEUE, SLEEPER, { ...WORKER_OPTIONS, concurrency: 1 });
  process.on('disconnect', () => process.exit(0));
}
