import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HTTP_LIMITS, openRemote, RemoteFault } from '../../pipeline/remote/index.js';
import { type HttpServer, type Served, silence, startHttp, torn, trickle } from '../servers/http.js';

const BYTES = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 31) % 251);
const HASTY = { ...HTTP_LIMITS, waitMs: 150, bytesPerSecond: 2 ** 20 };
/** Between attempts. */
const SOON = { waitMs: 1 };
let server: HttpServer;
beforeAll(async () => {
  server = await startHttp();
});
afterAll(() => server.close());
beforeEach(() => server.files.clear());

const serve = (file: Partial<Served> = {}, path = 'a.tif'): string => {
  server.files.set(path, { bytes: BYTES, ...file });
  return `${server.url}/${path}`;
};
const fault = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error) => error,
  );

describe('a file over HTTP', () => {
  it('is read by range, each request for what is needed', async () => {
    const file = await openRemote(serve(), { first: 1000 });
    expect([file.size, file.etag, file.mtimeMs]).toEqual([200_000, '"v1"', Date.UTC(2005, 11, 1)]);
    const before = server.sent();
    expect(new Uint8Array(await file.read(10, 500))).toEqual(BYTES.slice(10, 510));
    expect(server.sent()).toBe(before); // they had come already
    expect(new Uint8Array(await file.read(150_000, 50_000))).toEqual(BYTES.slice(150_000));
    expect(server.sent() - before).toBe(50_000);
  });

  it('is read whole, within a limit, where the server knows no ranges', async () => {
    const file = await openRemote(serve({ ranges: false }), { first: 1000 });
    const before = server.requests.length;
    expect(new Uint8Array(await file.read(150_000, 10))).toEqual(BYTES.slice(150_000, 150_010));
    expect(server.requests.length).toBe(before);
    expect(await fault(openRemote(serve({ ranges: false }), { most: 1000 }))).toMatchObject({
      tag: 'ConfigError',
      fields: { length: 200_000 },
    });
  });

  it('may be empty', async () => {
    expect((await openRemote(serve({ bytes: new Uint8Array(0) }))).size).toBe(0);
  });

  it('that changes between two requests is told, by ETag, by time or by size', async () => {
    for (const change of [{ etag: '"v2"' }, { bytes: BYTES.slice(1) }, { bytes: BYTES.slice(0, 10) }]) {
      const file = await openRemote(serve(), { first: 1000 });
      serve(change);
      expect(await fault(file.read(100_000, 10))).toMatchObject({
        tag: 'SourceChangedError',
        fields: { path: `${server.url}/a.tif` },
      });
    }
  });

  it('whose answers are torn is asked for again, three times', async () => {
    const bytes = BYTES.slice(0, 10_000);
    const file = await openRemote(serve({ bytes, misbehave: torn(2) }), SOON);
    expect(new Uint8Array(await file.read(0, 10_000))).toEqual(bytes);
    expect(await fault(openRemote(serve({ misbehave: torn(9) }), SOON))).toBeInstanceOf(RemoteFault);
  });

  it('that does not come, or trickles, is given up in bounded time', async () => {
    for (const misbehave of [silence, trickle]) {
      const began = Date.now();
      expect(await fault(openRemote(serve({ misbehave }), { ...SOON, limits: HASTY }))).toBeInstanceOf(
        RemoteFault,
      );
      expect(Date.now() - began).toBeLessThan(20_000);
    }
  });

  it('ends at once when its work is stopped', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    const error = await fault(openRemote(serve({ misbehave: silence }), { signal: stop.signal }));
    expect(error.name).toBe('AbortError');
  });

  it('is found behind a redirect, but not behind endless ones', async () => {
    serve({}, 'there.tif');
    const to =
      (path: string): Served['misbehave'] =>
      (_, response) => {
        response.writeHead(302, { location: path }).end();
        return true;
      };
    const file = await openRemote(serve({ misbehave: to('/there.tif') }));
    expect(file.size).toBe(200_000);
    for (const path of ['/a.tif', 'file:///etc/passwd'])
      expect(await fault(openRemote(serve({ misbehave: to(path) })))).toMatchObject({
        tag: 'ConfigError',
        fields: { path: `${server.url}/a.tif` },
      });
  });

  it('that is missing, forbidden or packed is told for what it is', async () => {
    expect(await fault(openRemote(`${server.url}/none.tif`))).toMatchObject({ code: 'ENOENT' });
    const status =
      (code: number): Served['misbehave'] =>
      (_, response) => {
        response.writeHead(code).end();
        return true;
      };
    expect(await fault(openRemote(serve({ misbehave: status(403) })))).toMatchObject({
      tag: 'ConfigError',
      fields: { status: 403 },
    });
    expect(await fault(openRemote(serve({ misbehave: status(503) }), SOON))).toBeInstanceOf(RemoteFault);
    const packed: Served['misbehave'] = (_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': 10 }).end('0123456789');
      return true;
    };
    expect(await fault(openRemote(serve({ misbehave: packed })))).toMatchObject({ tag: 'ConfigError' });
  });

  it('is not asked for with an address that holds a secret, and the secret is not shown', async () => {
    for (const address of ['https://me:hunter2@host/a.tif', 'https://host/a.tif?sig=hunter2', 'http://'])
      expect(await fault(openRemote(address))).toMatchObject({
        tag: 'ConfigError',
        message: expect.not.stringContaining('hunter2'),
      });
  });
});

describe('an object of a server that misbehaves', () => {
  beforeAll(() => {
    process.env.AWS_ENDPOINT_URL_S3 = server.url;
    process.env.AWS_ACCESS_KEY_ID = 'AKIDTEST';
    process.env.AWS_SECRET_ACCESS_KEY = 'test-secret-1';
  });
  afterAll(() => {
    for (const name of ['AWS_ENDPOINT_URL_S3', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'])
      delete process.env[name];
  });
  const object = (file: Partial<Served>) => {
    serve(file, 'maps/a.tif?x-id=GetObject');
    return 's3://maps/a.tif';
  };

  it('is read by range, and told when it is torn or trickles', async () => {
    const file = await openRemote(object({}), { first: 100, ...SOON });
    expect(new Uint8Array(await file.read(150_000, 10))).toEqual(BYTES.slice(150_000, 150_010));
    for (const misbehave of [torn(9), trickle]) {
      const few = { ...SOON, attempts: 2, limits: HASTY };
      expect(await fault(openRemote(object({ misbehave }), few))).toBeInstanceOf(RemoteFault);
    }
    expect((await openRemote(object({ misbehave: torn(1) }), SOON)).size).toBe(200_000);
  });

  it('that changes between two requests is told', async () => {
    const file = await openRemote(object({}), { first: 100, ...SOON });
    object({ etag: '"v2"' });
    expect(await fault(file.read(150_000, 10))).toMatchObject({
      tag: 'SourceChangedError',
      fields: { path: 's3://maps/a.tif' },
    });
  });
});
