import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { UnrecoverableError } from 'bullmq';
import { afterAll, describe, expect, it } from 'vitest';
import { BadRasterError, isStormreelError, QueueError } from '../../pipeline/errors.js';
import { fromFailure, toFailure } from '../../workers/queues/failure.js';
import { openConnection, parseRedisUrl } from '../../workers/queues/index.js';
import { contentId, payload } from '../../workers/queues/jobs.js';
import { acquire, currentOwner } from '../../workers/queues/owner.js';
import { askOwner, serveQueue } from '../../workers/queues/serve.js';

const root = mkdtempSync(join(tmpdir(), 'stormreel-queues-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const owner = (fields: object) =>
  JSON.stringify({ pid: process.pid, host: hostname(), began: null, socket: '', ...fields });
const owned = (name: string, text: string): string => {
  mkdirSync(join(root, name));
  writeFileSync(join(root, name, 'owner.json'), text);
  return join(root, name);
};
const caught = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

describe('errors across the queue', () => {
  it('make a typed error whole again and leave others to be tried again', () => {
    const error = new BadRasterError('a.tif is truncated', {
      hint: 'fetch it again',
      fields: { path: 'a.tif' },
    });
    const failure = toFailure(error) as Error;
    expect(failure).toBeInstanceOf(UnrecoverableError);
    const again = fromFailure(failure.message);
    expect(again).toBeInstanceOf(BadRasterError);
    expect(again).toMatchObject({ message: error.message, hint: error.hint, fields: error.fields });
    const passing = new Error('EIO');
    expect(toFailure(passing)).toBe(passing);
    expect(fromFailure('EIO')).toBeNull();
  });
});

describe('jobs', () => {
  it('refuse a payload that holds data instead of a reference', () => {
    expect(payload('finalise', { dataset: '/d' })).toEqual({ dataset: '/d' });
    expect(() => payload('finalise', { dataset: 'x'.repeat(3000) })).toThrow(/at most 2048/);
  });

  it('have ids without colons that depend on the work alone', () => {
    expect(contentId('slots', '/a:b', 3)).toBe(contentId('slots', '/a:b', 3));
    expect(contentId('slots', '/a:b', 3)).not.toBe(contentId('slots', '/a:b', 4));
    expect(contentId('slots', '/a:b', 3)).not.toContain(':');
  });
});

describe('addresses', () => {
  it('that are wrong are told without their password', () => {
    for (const text of [
      'http://me:secret@host',
      'redis//me:secret@host',
      'redis://me:secret@',
      'redis://me:secret%ZZ@host',
    ]) {
      const error = caught(() => parseRedisUrl(text));
      expect(error).toMatchObject({ tag: 'QueueError' });
      expect(
        isStormreelError(error) && JSON.stringify([error.message, error.hint, error.fields]),
      ).not.toContain('secret');
    }
  });
});

describe('the owner of a queue folder', () => {
  it('keeps others out while it lives', async () => {
    const folder = owned('living', owner({}));
    const error = await acquire(folder, '').catch((e) => e);
    expect(error).toBeInstanceOf(QueueError);
    expect(error.fields).toMatchObject({ pid: process.pid, folder });
  });

  it('on another machine keeps others out too, since nobody here can tell', async () => {
    const folder = owned('elsewhere', owner({ host: 'other.example', pid: 1 }));
    expect(await acquire(folder, '').catch((e) => e.tag)).toBe('QueueError');
  });

  it('is replaced when its process is gone, when its pid went to another process, or when its file is torn', async () => {
    const gone = { dead: owner({ pid: 2 ** 22 + 1 }), reused: owner({ began: '1' }), torn: '{"pid"' };
    for (const [name, text] of Object.entries(gone)) {
      if (name === 'reused' && process.platform !== 'linux') continue;
      const folder = owned(name, text);
      expect(await currentOwner(folder)).toBeNull();
      const release = await acquire(folder, 'here');
      expect(JSON.parse(readFileSync(join(folder, 'owner.json'), 'utf8'))).toMatchObject({
        pid: process.pid,
      });
      await release();
      expect(await currentOwner(folder)).toBeNull();
    }
  });
});

describe('a queue inside the process', () => {
  it('does jobs, tries failed ones again, answers over its socket, and is made anew after a torn beginning', async () => {
    const folder = join(root, 'pglite');
    mkdirSync(join(folder, 'database'), { recursive: true });
    writeFileSync(join(folder, 'database', 'PG_VERSION'), '17'); // killed while it was made
    const connection = await openConnection({ folder });
    const stop = await serveQueue(connection, ['q']);
    try {
      const queue = connection.queue('q');
      const events = connection.events('q');
      await events.waitUntilReady();
      let tries = 0;
      connection.worker(
        'q',
        async (job) => {
          if (job.name === 'flaky' && ++tries < 3) throw new Error('passing fault');
          return job.data.n * 2;
        },
        {},
      );
      const options = { attempts: 4, backoff: { type: 'exponential', delay: 10 } };
      const plain = await queue.add('plain', { n: 21 }, { jobId: 'one' });
      const flaky = await queue.add('flaky', { n: 4 }, options);
      expect(await plain.waitUntilFinished(events, 20_000)).toBe(42);
      expect(await flaky.waitUntilFinished(events, 20_000)).toBe(8);
      expect(tries).toBe(3);
      await queue.add('plain', { n: 1 }, { jobId: 'one' }); // the same id: nothing happens
      const [status] = await askOwner((await currentOwner(folder))!, 'status');
      expect(status).toMatchObject({
        name: 'q',
        counts: { completed: 2, failed: 0, waiting: 0 },
        failed: [],
      });
    } finally {
      stop();
      await connection.close();
    }
    expect(await currentOwner(folder)).toBeNull();
  });
});

describe('a database that is broken although it was ready', () => {
  it('is made anew, and again after one that was left without its tables', async () => {
    const folder = join(root, 'broken');
    mkdirSync(folder);
    const add = async () => {
      const connection = await openConnection({ folder });
      await connection.queue('q').add('plain', {});
      const counts = await connection.queue('q').getJobCounts('waiting');
      await connection.close();
      return counts.waiting;
    };
    expect(await add()).toBe(1);
    rmSync(join(folder, 'database', 'global'), { recursive: true }); // cannot be opened, and ready says it is
    expect(await add()).toBe(1);
    expect(await add()).toBe(2);
  });
});
