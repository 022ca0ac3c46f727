/**
 * S3-compatible servers for tests, started on a free port and killed afterwards: moto, which writes on condition, and
 * nanio, which checks signatures and takes a condition without looking at it. `node scripts/install-s3-server.mjs`.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
// @ts-expect-error: a script without types
import { S3_SERVERS } from '../../scripts/install-s3-server.mjs';

export const hasS3 = existsSync(S3_SERVERS);
if (!hasS3)
  console.warn('skipped: tests of object storage need node scripts/install-s3-server.mjs (python3, pip)');

const MOTO = fileURLToPath(new URL('moto_s3.py', import.meta.url));

export interface S3Server {
  /** For the process that uses it: endpoint, region, credentials and a cache of its own. */
  env: Record<string, string>;
  /** Sets these for this process. */
  use(): void;
  stop(): void;
}

export async function startS3(kind: 'moto' | 'nanio'): Promise<S3Server> {
  const folder = mkdtempSync(join(tmpdir(), 'stormreel-s3-'));
  const port = await freePort();
  const nanio = ['-m', 'nanio', 'serve', '--host', '127.0.0.1', '--port', String(port), '--data-dir', folder];
  const child = spawn('python3', kind === 'moto' ? [MOTO, String(port)] : nanio, {
    stdio: 'ignore',
    env: {
      ...process.env,
      PYTHONPATH: S3_SERVERS,
      NANIO_ACCESS_KEY: 'AKIDTEST',
      NANIO_SECRET_KEY: 'test-secret-1',
    },
  });
  const env = {
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIDTEST',
    AWS_SECRET_ACCESS_KEY: 'test-secret-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    STORMREEL_CACHE: join(folder, 'cache'),
  };
  await answers(env.AWS_ENDPOINT_URL_S3);
  const before = { ...process.env };
  return {
    env,
    use: () => Object.assign(process.env, env),
    stop: () => {
      for (const name of Object.keys(env))
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Makes a bucket as its owner would beforehand; stormreel itself makes none. */
export async function makeBucket(name: string, { env }: S3Server): Promise<void> {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const { CreateBucketCommand, S3Client } = await import('@aws-sdk/client-s3');
  const client = new S3Client({
    endpoint: env.AWS_ENDPOINT_URL_S3,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY },
  });
  await client.send(new CreateBucketCommand({ Bucket: name }));
  client.destroy();
}

async function answers(endpoint: string): Promise<void> {
  for (let left = 300; ; left--) {
    if (
      await fetch(endpoint).then(
        () => true,
        () => false,
      )
    )
      return;
    if (left === 0) throw new Error(`no answer from ${endpoint}`);
    await sleep(100);
  }
}

export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer().once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}
