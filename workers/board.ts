/** Dashboard of a queue in the browser: read-only unless asked, open to this machine alone unless it has a password. */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { IServerAdapter } from '@bull-board/api/typings/app';
import { FastifyAdapter } from '@bull-board/fastify';
import Fastify from 'fastify';
import { ConfigError } from '../pipeline/errors.js';
import { gate, isLoopback } from './gate.js';
import { findQueue } from './manage.js';
import { openConnection } from './queues/index.js';

export interface BoardOptions {
  /** Redis URL, or the folder of a dataset or run whose owner has ended. */
  place: string;
  /** 0: any free port. */
  port: number;
  /** Default: loopback. Any other needs a password. */
  host?: string;
  /** Asked for by HTTP basic authentication; the user name is not looked at. */
  password?: string;
  /** Jobs may be tried again and removed, queues paused; jobs are never added or edited here. */
  allowChanges?: boolean;
}

/** Serves until `close`. ConfigError: another address without a password; QueueError: another process owns the folder. */
export async function openBoard({
  place,
  port,
  host = '127.0.0.1',
  password,
  allowChanges = false,
}: BoardOptions): Promise<{ address: string; close(): Promise<void> }> {
  if (!password && !isLoopback(host))
    throw new ConfigError(`the board would be open to everybody who reaches ${host}`, {
      hint: 'set STORMREEL_BOARD_PASSWORD or --password-file FILE, or leave --host out: the board then answers on this machine alone',
      fields: { host },
    });
  const { at, names } = await findQueue(place);
  const connection = await openConnection(at);
  try {
    const adapter = new FastifyAdapter();
    const queues = names.map(
      (name) => new BullMQAdapter(connection.queue(name), { readOnlyMode: !allowChanges }),
    );
    // The adapter's package types itself against its own copy of the API.
    const serverAdapter = adapter as unknown as IServerAdapter;
    createBullBoard({ queues, serverAdapter, options: { uiConfig: { boardTitle: 'stormreel' } } });
    const server = Fastify();
    gate(server, { password, allowChanges, loopback: isLoopback(host) });
    await server.register(adapter.registerPlugin());
    const address = await server.listen({ port, host }).catch((cause) => {
      throw new ConfigError(`cannot listen on ${host}, port ${port}: ${cause.code}`, {
        hint: 'another process may have the port: give another --port, or 0 for any free one',
        cause,
        fields: { host, port, code: cause.code },
      });
    });
    return {
      address,
      close: async () => {
        await server.close();
        await connection.close();
      },
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}
