/** A Redis for one measurement: own port, own folder, every write in its log. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export const hasRedis = () => spawnSync('redis-server', ['--version']).status === 0;

export async function startRedis(folder) {
  mkdirSync(folder, { recursive: true });
  const port = await new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
  const args = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'yes',
    '--dir',
    folder,
  ];
  const server = spawn('redis-server', args, { stdio: 'ignore' });
  const accepts = () =>
    new Promise((done) => {
      const socket = createConnection(port, '127.0.0.1', () => {
        socket.destroy();
        done(true);
      });
      socket.on('error', () => done(false));
    });
  while (!(await accepts())) await sleep(50);
  return { url: `redis://127.0.0.1:${port}`, stop: () => server.kill('SIGKILL') };
}
