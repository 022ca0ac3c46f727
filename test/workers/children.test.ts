import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connection, openConnection, WORKER_OPTIONS } from '../../workers/queues/index.js';

const root = mkdtempSync(join(tmpdir(), 'stormreel-children-'));
let connection: Connection;
beforeAll(async () => {
  connection = await openConnection({ folder: join(root, 'queue') });
});
afterAll(async () => {
  await connection.close();
  rmSync(root, { recursive: true, force: true });
});

/** Runs jobs, one at a time, in children whose file is `head`, a processor named work, and what both need. */
function serve(name: string, head: string) {
  const at = (file: string) => join(root, `${name}-${file}`);
  const text = `
    import { existsSync, writeFileSync } from 'node:fs';
    import { setTimeout as pause } from 'node:timers/promises';
    const at = (file) => ${JSON.stringify(join(root, `${name}-`))} + file;
    const once = (file) => !existsSync(at(file)) && (writeFileSync(at(file), String(process.pid)), true);
    ${head}
    export default work;`;
  writeFileSync(at('processor.mjs'), text);
  const worker = connection.worker(name, at('processor.mjs'), { ...WORKER_OPTIONS, concurrency: 1 });
  const ends = new Map<string, unknown>();
  worker.on('completed', ({ id }, value) => void ends.set(`${id}`, value));
  worker.on('failed', (job, error) => {
    if (job?.finishedOn) ends.set(`${job.id}`, error.message);
  });
  const begin = (jobId: string, attempts = 2) => connection.queue(name).add('job', {}, { jobId, attempts });
  const end = async (jobId: string) => {
    while (!ends.has(jobId)) await pause(20);
    return ends.get(jobId);
  };
  return { worker, at, begin, end };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Ends by the test's own limit: a job that stands still is the fault looked for. */
const LIMIT_MS = 60_000;

describe('children that die', () => {
  it(
    'while they start fail the attempt, and the job is done by the next',
    async () => {
      const { worker, begin, end } = serve(
        'start',
        `if (once('dead')) process.kill(process.pid, 'SIGKILL');
       const work = async () => 'done';`,
      );
      await begin('a');
      expect(await end('a')).toBe('done');
      await worker.close();
    },
    LIMIT_MS,
  );

  it(
    'in the middle of a job fail the attempt, and the job is done by the next',
    async () => {
      const { worker, begin, end } = serve(
        'middle',
        `const work = async () => { if (once('dead')) process.kill(process.pid, 'SIGKILL'); return 'done'; };`,
      );
      await begin('a');
      expect(await end('a')).toBe('done');
      await worker.close();
    },
    LIMIT_MS,
  );

  it(
    'go with their worker, also when it is closed while they start',
    async () => {
      const { worker, at, begin } = serve(
        'early',
        `once('pid');
       await pause(3_000);
       const work = async () => 'done';`,
      );
      await begin('a');
      const pid = () => (existsSync(at('pid')) ? Number(readFileSync(at('pid'), 'utf8')) : 0);
      while (!pid()) await pause(20);
      await worker.close(true);
      while (isAlive(pid())) await pause(20);
    },
    LIMIT_MS,
  );

  it(
    'tell why when a file cannot be loaded',
    async () => {
      const { worker, begin, end } = serve('broken', `const work = null; throw new Error('no such codec');`);
      await begin('a', 1);
      expect(await end('a')).toMatch(/no such codec|ended while it started/);
      await worker.close();
    },
    LIMIT_MS,
  );

  it(
    'without a channel are ended and replaced',
    async () => {
      const { worker, at, begin, end } = serve(
        'mute',
        `setInterval(() => {}, 1000);
       const work = async () => {
         if (once('first')) setTimeout(() => { process.disconnect(); once('mute'); }, 50);
         return process.pid;
       };`,
      );
      await begin('a');
      const first = await end('a');
      while (!existsSync(at('mute'))) await pause(20);
      await begin('b');
      expect(await end('b')).not.toBe(first);
      expect(await end('b')).toBeTypeOf('number');
      await worker.close();
    },
    LIMIT_MS,
  );
});

describe('a child that still works on a job which is given up', () => {
  it(
    'does not get the next job',
    async () => {
      const { worker, at, begin, end } = serve(
        'busy',
        `const work = async (job) => {
         if (!once('began')) return process.pid;
         while (!existsSync(at('go'))) await pause(10);
         await job.updateProgress({ frames: 1 }); // the job is gone, so the parent gives it up
         await pause(${LIMIT_MS});
       };`,
      );
      await begin('a', 1);
      while (!existsSync(at('began')) || readFileSync(at('began'), 'utf8') === '') await pause(20);
      await connection.queue('busy').obliterate({ force: true });
      writeFileSync(at('go'), '');
      await begin('b', 1);
      const by = await end('b');
      expect(by).toBeTypeOf('number');
      expect(by).not.toBe(Number(readFileSync(at('began'), 'utf8')));
      await worker.close();
    },
    LIMIT_MS,
  );
});
