/** A Redis of a test's own: free port, own folder, ended with the test. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
if (!hasRedis)
  console.warn('tests over Redis: skipped, no redis-server. To run them: apt-get install redis-server');

export interface TestRedis {
  process: ChildProcess;
  port: number;
  stop(): void;
}

/** `args`: more settings, e.g. `--requirepass secret`; with `tls` the port speaks TLS alone. */
export async function startRedis(args: readonly string[] = [], { tls = false } = {}): Promise<TestRedis> {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'stormreel-redis-'));
  const ports = tls ? ['--port', '0', '--tls-port', `${port}`] : ['--port', `${port}`];
  const fixed = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'yes', '--dir', dir];
  const server = spawn('redis-server', [...ports, ...fixed, ...args], { stdio: 'ignore' });
  let ended = false;
  server.once('exit', () => {
    ended = true;
  });
  while (!ended && !(await accepts(port))) await sleep(50);
  if (ended) throw new Error(`redis-server ended at once with ${args.join(' ')}`);
  const stop = () => {
    server.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  return { process: server, port, stop };
}

export const freePort = (): Promise<number> =>
  new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });

export const accepts = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const socket = createConnection(port, '127.0.0.1', () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(false));
  });
