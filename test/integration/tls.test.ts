import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completeAddress } from '../../cli/queueOption.js';
import { openConnection } from '../../workers/queues/index.js';
import { hasRedis, startRedis, type TestRedis } from './redis.js';

const folder = mkdtempSync(join(tmpdir(), 'stormreel-tls-'));
const at = (name: string) => join(folder, name);
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) console.warn('queue over TLS: skipped, no openssl. To run it: apt-get install openssl');
let redis: TestRedis;

/** An authority of the test's own, and a key and certificate signed by it. */
function certify(): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '2',
    '-subj',
    '/CN=test authority',
  );
  openssl('req', ...key, '-keyout', 'host.key', '-out', 'host.csr', '-subj', '/CN=localhost');
  writeFileSync(at('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
  openssl('x509', '-req', '-in', 'host.csr', ...signed, '-out', 'host.pem');
}

beforeAll(async () => {
  if (!hasRedis || !hasOpenssl) return;
  certify();
  const files = [
    '--tls-cert-file',
    at('host.pem'),
    '--tls-key-file',
    at('host.key'),
    '--tls-ca-cert-file',
    at('ca.pem'),
  ];
  redis = await startRedis([...files, '--requirepass', 'sturm'], { tls: true }); // asks for client certificates too
});
afterAll(() => {
  redis?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const all = () => ({
  STORMREEL_QUEUE_PASSWORD: 'sturm',
  STORMREEL_QUEUE_CA: at('ca.pem'),
  STORMREEL_QUEUE_CERT: at('host.pem'),
  STORMREEL_QUEUE_KEY: at('host.key'),
});
const failing = async (address: string, env: Record<string, string>) => {
  try {
    await (await openConnection({ url: completeAddress(address, env) })).close();
  } catch (error) {
    return error;
  }
  return null;
};

describe.skipIf(!hasRedis || !hasOpenssl)('a queue over TLS', () => {
  it('is reached with the authority, a client certificate and a password from the environment', async () => {
    const connection = await openConnection({
      url: completeAddress(`rediss://localhost:${redis.port}`, all()),
    });
    expect(connection.where).toBe(`rediss://localhost:${redis.port}`);
    const queue = connection.queue('tls');
    const events = connection.events('tls');
    await events.waitUntilReady();
    connection.worker('tls', async ({ data }) => data.n + 1, {});
    const job = await queue.add('plus', { n: 1 });
    expect(await job.waitUntilFinished(events, 20_000)).toBe(2);
    await connection.close();
  }, 30_000);

  it('says what is missing: authority, client certificate, password, or TLS itself', async () => {
    const secure = `rediss://127.0.0.1:${redis.port}`;
    const { STORMREEL_QUEUE_CA: ca, STORMREEL_QUEUE_PASSWORD: password, ...pair } = all();
    const cases: [string, Record<string, string>, RegExp][] = [
      [secure, { STORMREEL_QUEUE_PASSWORD: password }, /STORMREEL_QUEUE_CA/],
      [secure, { STORMREEL_QUEUE_PASSWORD: password, STORMREEL_QUEUE_CA: ca }, /STORMREEL_QUEUE_CERT/],
      [secure, { ...pair, STORMREEL_QUEUE_CA: ca }, /STORMREEL_QUEUE_PASSWORD/],
      [`redis://127.0.0.1:${redis.port}`, {}, /rediss:/],
    ];
    for (const [address, env, hint] of cases)
      expect(await failing(address, env)).toMatchObject({
        tag: 'QueueError',
        hint: expect.stringMatching(hint),
      });
  }, 60_000);
});

describe('the address of a queue', () => {
  it('takes what the environment adds and keeps what it says itself', () => {
    writeFileSync(at('password'), 'fr@m file\n');
    const env = { STORMREEL_QUEUE_PASSWORD_FILE: at('password'), STORMREEL_QUEUE_USER: 'worker' };
    expect(completeAddress('redis://h:1', env)).toBe('redis://worker:fr%40m%20file@h:1');
    expect(completeAddress('redis://me:own@h:1', env)).toBe('redis://me:own@h:1');
  });

  it('is refused with files of TLS that would go unused, that are half a pair, or that cannot be read', async () => {
    const thrown = (address: string, env: Record<string, string>) => {
      try {
        completeAddress(address, env);
      } catch (error) {
        return error;
      }
    };
    expect(thrown('redis://h', { STORMREEL_QUEUE_CA: 'ca.pem' })).toMatchObject({ tag: 'QueueError' });
    expect(thrown('rediss://h', { STORMREEL_QUEUE_CERT: 'c.pem' })).toMatchObject({ tag: 'QueueError' });
    expect(thrown('rediss://h?verify=no', {})).toMatchObject({ fields: { unknown: ['verify'] } });
    const both = { STORMREEL_QUEUE_PASSWORD: 'a', STORMREEL_QUEUE_PASSWORD_FILE: 'b' };
    expect(thrown('redis://h', both)).toMatchObject({ tag: 'ConfigError' });
    expect(thrown('redis://h', { STORMREEL_QUEUE_PASSWORD_FILE: at('none') })).toMatchObject({
      tag: 'ConfigError',
      fields: { code: 'ENOENT' },
    });
    writeFileSync(at('empty.pem'), '');
    for (const name of ['none.pem', 'empty.pem'])
      expect(await failing('rediss://h:1', { STORMREEL_QUEUE_CA: at(name) })).toMatchObject({
        tag: 'QueueError',
        fields: { path: at(name) },
      });
  });
});
