/** A Redis of the round's own, which can be killed, started again, and made to forget its last writes. */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export async function startRedis(folder, { appendfsync = 'everysec' } = {}) {
  const port = await freePort();
  mkdirSync(folder, { recursive: true });
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  const log = ['--appendonly', 'yes', '--appendfsync', appendfsync, '--auto-aof-rewrite-percentage', '0'];
  let server = null;
  const redis = {
    url: `redis://127.0.0.1:${port}`,
    pid: () => server?.pid,
    async start() {
      server = spawn('redis-server', [...options, ...log, '--maxmemory-policy', 'noeviction'], {
        stdio: 'ignore',
      });
      for (let i = 0; i < 600 && !(await accepts(port)); i++) await sleep(50);
    },
    async kill() {
      const ended = new Promise((done) => server.once('exit', done));
      server.kill('SIGKILL');
      await ended;
    },
    /** Only while it is down: the last bytes of its log are gone, as after a power cut. */
    cut(share) {
      const at = join(folder, 'appendonlydir');
      const name = readdirSync(at).find((file) => file.endsWith('.incr.aof'));
      const { size } = statSync(join(at, name));
      truncateSync(join(at, name), size - Math.floor(share * Math.min(size / 4, 65_536)));
    },
  };
  await redis.start();
  return redis;
}

const freePort = () =>
  new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

const accepts = (port) =>
  new Promise((done) => {
    const socket = createConnection(port, '127.0.0.1', () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(false));
  });
