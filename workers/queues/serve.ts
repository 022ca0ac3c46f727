/**
 * The owner of a queue folder answers other processes over a local socket, since only one process can open PGlite.
 * One line of JSON in (`{"action": "status"}`), one line out.
 */
import { chmod, unlink } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { QueueError } from '../../pipeline/errors.js';
import { type Connection, socketPath } from './connection.js';
import type { Owner } from './owner.js';
import { ACTIONS, type Action, manageQueue, type QueueStatus } from './status.js';

const ANSWER_WITHIN_MS = 10_000;

/** Begins to answer for a queue folder and returns what stops it; a Redis queue needs no such thing. */
export async function serveQueue(connection: Connection, names: readonly string[]): Promise<() => void> {
  if (connection.kind === 'redis') return () => {};
  const path = socketPath(connection.where);
  const server = createServer((socket) => {
    socket.on('error', () => {});
    createInterface({ input: socket }).once('line', async (line) => {
      const answer = await reply(connection, names, line).catch((error: Error) => ({ error: error.message }));
      socket.end(`${JSON.stringify(answer)}\n`);
    });
  });
  server.on('error', () => {}); // without a socket the work goes on; only the questions stay unanswered
  server.unref();
  await unlink(path).catch(() => {}); // left by an owner that was killed
  await new Promise<void>((done) => {
    server.once('error', () => done());
    server.listen(path, () => done());
  });
  if (process.platform !== 'win32') await chmod(path, 0o600).catch(() => {});
  return () => void server.close();
}

/** Asks the living owner of a queue folder. QueueError when it does not answer. */
export async function askOwner({ socket, pid }: Owner, action: Action): Promise<QueueStatus[]> {
  const line = await new Promise<string>((done, fail) => {
    const client = createConnection(socket, () => client.write(`${JSON.stringify({ action })}\n`));
    client.setTimeout(ANSWER_WITHIN_MS, () => client.destroy(new Error('no answer')));
    client.on('error', fail);
    createInterface({ input: client }).once('line', done);
  }).catch((cause: Error) => {
    throw new QueueError(`process ${pid}, which owns the queue, does not answer: ${cause.message}`, {
      hint: 'try again in a moment; the process may be starting or ending',
      cause,
      fields: { pid },
    });
  });
  const answer = JSON.parse(line);
  if (Array.isArray(answer)) return answer;
  throw new Error(`the owner of the queue answered: ${answer.error}`);
}

async function reply(connection: Connection, names: readonly string[], line: string): Promise<QueueStatus[]> {
  const { action } = JSON.parse(line);
  if (!ACTIONS.includes(action)) throw new Error(`no such action: ${action}`);
  const answers: QueueStatus[] = [];
  for (const name of names) answers.push(await manageQueue(connection.queue(name), action));
  return answers;
}
