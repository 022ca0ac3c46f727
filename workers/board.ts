/** Dashboard of a queue on this machine's loopback address, read-only. */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { IServerAdapter } from '@bull-board/api/typings/app';
import { FastifyAdapter } from '@bull-board/fastify';
import Fastify from 'fastify';
import { findQueue } from './manage.js';
import { openConnection } from './queues/index.js';

export interface BoardOptions {
  /** Redis URL, or the folder of a dataset or run whose owner has ended. */
  place: string;
  /** 0: any free port. */
  port: number;
  /** Loopback unless said otherwise: there is no password. */
  host?: string;
}

/** Serves until `close`. QueueError when another process owns the folder. */
export async function openBoard({
  place,
  port,
  host = '127.0.0.1',
}: BoardOptions): Promise<{ address: string; close(): Promise<void> }> {
  const { at, names } = await findQueue(place);
  const connection = await openConnection(at);
  const adapter = new FastifyAdapter();
  const queues = names.map((name) => new BullMQAdapter(connection.queue(name), { readOnlyMode: true }));
  // The adapter's package types itself against its own copy of the API.
  const serverAdapter = adapter as unknown as IServerAdapter;
  createBullBoard({ queues, serverAdapter, options: { uiConfig: { boardTitle: 'stormreel' } } });
  const server = Fastify();
  await server.register(adapter.registerPlugin());
  const address = await server.listen({ port, host });
  return {
    address,
    close: async () => {
      await server.close();
      await connection.close();
    },
  };
}
