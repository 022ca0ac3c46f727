/**
 * One way to queues and workers, wherever the queue is: PGlite in this process (`{ folder }`) or Redis (`{ url }`).
 *
 *   const connection = await openConnection({ folder: 'dataset/queue' });
 *   await connection.queue('ingest').add(...);  await connection.close();
 */
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  type ConnectionOptions,
  createPostgresBackend,
  type PgPool,
  type Processor,
  Queue,
  QueueEvents,
  type Telemetry,
  type Worker,
  type WorkerOptions,
} from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import { QueueError } from '../../pipeline/errors.js';
import { cureOf, describeAddress, parseRedisUrl, redisOptions } from './address.js';
import { SafeWorker } from './children.js';
import { type LocalOutcomes, localOutcomes, type Outcomes } from './outcomes.js';
import { acquire } from './owner.js';
import { openPglite } from './pglite.js';
import { within } from './within.js';

export type Place = { folder: string } | { url: string };
type Settings = Omit<WorkerOptions, 'connection'>;

export interface ConnectionSettings {
  /** Where spans of jobs go; default: nowhere. */
  telemetry?: Telemetry;
}

export interface Connection {
  readonly kind: 'pglite' | 'redis';
  /** Where the queue is, without credentials. */
  readonly where: string;
  /** The same object for the same name. */
  queue(name: string): Queue;
  events(name: string): QueueEvents;
  /** How jobs end in the hands of the workers made here, which are all where the queue is inside this process. */
  outcomes(name: string): Outcomes;
  /** `processor`: a function, or the path of a file that runs in child processes. */
  worker(name: string, processor: string | Processor, options: Settings): Worker;
  /** Closes all that was made here, last made first. */
  close(): Promise<void>;
}

/** QueueError: no such Redis, or a folder that another process owns. */
export function openConnection(place: Place, options: ConnectionSettings = {}): Promise<Connection> {
  return 'url' in place ? openRedis(place.url, options) : openFolder(resolve(place.folder), options);
}

/** The socket on which the owner of a queue folder answers; short, since such paths may not be long. */
export function socketPath(folder: string): string {
  const name = createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 16);
  return process.platform === 'win32'
    ? `\\\\.\\pipe\\stormreel-${name}`
    : join(tmpdir(), `stormreel-${name}.sock`);
}

async function openFolder(folder: string, options: ConnectionSettings): Promise<Connection> {
  const release = await acquire(folder, socketPath(folder));
  try {
    const { pool, close } = await openPglite(folder);
    return connect('pglite', folder, postgresMaker(pool, options), async () => {
      await within(close());
      await release();
    });
  } catch (error) {
    await release();
    throw error;
  }
}

async function openRedis(text: string, settings: ConnectionSettings): Promise<Connection> {
  const url = parseRedisUrl(text);
  const where = describeAddress(url);
  const options = await redisOptions(url);
  await answers(options, url);
  return connect('redis', where, redisMaker(options as ConnectionOptions, settings), async () => {});
}

const ANSWER_WITHIN_MS = 10_000;

/** BullMQ would wait for ever for a server that is not there. */
async function answers(options: RedisOptions, url: URL): Promise<void> {
  const where = describeAddress(url);
  const probe = new Redis({
    ...options,
    lazyConnect: true,
    connectTimeout: 5_000,
    retryStrategy: () => null,
  });
  let reason = '';
  probe.on('error', (error: Error) => {
    reason = error.message;
  });
  try {
    const answered = probe.connect().then(() => probe.ping());
    if (!(await within(answered, ANSWER_WITHIN_MS)))
      throw new Error('it accepts the connection and does not answer');
    await answered;
  } catch (error) {
    const told = reason || (error as Error).message;
    throw new QueueError(`cannot use the Redis at ${where}: ${told}`, {
      hint: cureOf(told, url),
      fields: { where },
    });
  } finally {
    probe.disconnect();
  }
}

/** How each kind makes BullMQ's classes: the only difference between PGlite and Redis. */
interface Maker {
  queue(name: string): Queue;
  events(name: string): QueueEvents;
  worker(name: string, processor: string | Processor, options: Settings): Worker;
}

function postgresMaker(connection: PgPool, { telemetry }: ConnectionSettings): Maker {
  const factory = createPostgresBackend;
  const made = {
    queue: (name: string) => new Queue(name, { connection, telemetry }, factory),
    events: (name: string) => new QueueEvents(name, { connection }, factory),
    worker: (name: string, processor: string | Processor, options: Settings) =>
      new SafeWorker(name, processor, { ...childEnvironment(), ...options, telemetry, connection }, factory),
  };
  return made as unknown as Maker; // the back end's type is a parameter of each class
}

const redisMaker = (connection: ConnectionOptions, { telemetry }: ConnectionSettings): Maker => ({
  queue: (name) => new Queue(name, { connection, telemetry }),
  events: (name) => new QueueEvents(name, { connection }),
  worker: (name, processor, options) =>
    new SafeWorker(name, processor, { ...childEnvironment(), ...options, telemetry, connection }),
});

/** Children decode files of strangers and never speak to the queue: its credentials stay out of their environment. */
function childEnvironment(): Pick<Settings, 'workerForkOptions'> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('STORMREEL_QUEUE'));
  return { workerForkOptions: { env: Object.fromEntries(own) } };
}

interface Made {
  close(): Promise<unknown>;
  disconnect(): Promise<unknown>;
  on(event: 'error', listener: () => void): unknown;
}

function connect(
  kind: Connection['kind'],
  where: string,
  maker: Maker,
  release: () => Promise<void>,
): Connection {
  const open: Made[] = [];
  const own = <T extends Made>(made: T): T => {
    made.on('error', () => {}); // a lost connection is made again; what fails is told by the call that fails
    open.push(made);
    return made;
  };
  const queues = new Map<string, Queue>();
  const local = new Map<string, LocalOutcomes>();
  const localOf = (name: string): LocalOutcomes => {
    const outcomes = local.get(name) ?? localOutcomes();
    local.set(name, outcomes);
    return outcomes;
  };
  return {
    kind,
    where,
    queue: (name) => {
      const queue = queues.get(name) ?? own(maker.queue(name));
      queues.set(name, queue);
      return queue;
    },
    events: (name) => own(maker.events(name)),
    outcomes: (name) => localOf(name),
    worker: (name, processor, options) => {
      const worker = own(maker.worker(name, processor, options));
      if (kind === 'pglite') localOf(name).relay(worker);
      return worker;
    },
    close: async () => {
      // A database that met a full disk may answer nothing any more, as a server that is gone.
      for (const made of open.splice(0).reverse())
        if (!(await within(made.close()))) await within(made.disconnect());
      await release();
    },
  };
}
