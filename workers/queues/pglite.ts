/**
 * BullMQ's PostgreSQL back end on PGlite: PostgreSQL inside this process, its files in one folder. What BullMQ needs
 * of a `pg.Pool` is small; there is one session, so every client is the same one and nothing waits for a connection.
 */
import { EventEmitter } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { LATEST_SCHEMA_VERSION, type PgPool, type PgPoolClient, runMigrations } from 'bullmq';

const SCHEMA = 'bullmq';
const READY = 'ready';

/** Opens the database in `folder`, making it where there is none, where its making was interrupted, or where it is broken. */
export async function openPglite(folder: string): Promise<{ pool: PgPool; close(): Promise<void> }> {
  const database = join(folder, 'database');
  const ready = join(folder, READY);
  const complete = (await readFile(ready, 'utf8').catch(() => '')) === String(LATEST_SCHEMA_VERSION);
  if (!complete) await rm(database, { recursive: true, force: true });
  const db = await openOrMakeAgain(database);
  const pool = poolOf(db);
  // Asked, not taken from the file alone: a broken database was made anew just now, or when the disk was full.
  if (!complete || !(await hasSchema(db))) {
    await runMigrations(await pool.connect(), SCHEMA);
    await writeFile(ready, String(LATEST_SCHEMA_VERSION));
  }
  await db.exec(`SET search_path TO ${SCHEMA}`);
  return { pool, close: () => db.close() };
}

/** The next one to open the queue in `folder` makes the database anew. */
export const distrust = (folder: string): Promise<void> => rm(join(folder, READY), { force: true });

/** The queue holds nothing that the plan and the commits do not say, so a broken one is made anew. */
async function openOrMakeAgain(database: string): Promise<PGlite> {
  try {
    return await PGlite.create(database);
  } catch {
    await rm(database, { recursive: true, force: true });
    return PGlite.create(database);
  }
}

async function hasSchema(db: PGlite): Promise<boolean> {
  const { rows } = await db.query('SELECT 1 FROM information_schema.schemata WHERE schema_name = $1', [
    SCHEMA,
  ]);
  return rows.length > 0;
}

function poolOf(db: PGlite): PgPool {
  const query = async <R>(text: string, params?: readonly unknown[]) => {
    if (params?.length) return withCount(await db.query<R>(text, [...params]));
    const results = await db.exec(text); // may hold several statements
    return withCount((results[results.length - 1] ?? { rows: [] }) as unknown as { rows: R[] });
  };
  const pool = Object.assign(new EventEmitter(), {
    query,
    connect: async () => clientOf(db, query),
    end: async () => {},
  });
  return pool as unknown as PgPool;
}

/** A client that hears the notifications of the channels it listens to. */
function clientOf(db: PGlite, query: PgPool['query']): PgPoolClient {
  const stops: (() => Promise<void>)[] = [];
  const client = Object.assign(new EventEmitter(), {
    query: async (text: string, params?: readonly unknown[]) => {
      const channel = /^\s*LISTEN\s+"?(\w+)"?/im.exec(text)?.[1];
      if (!channel || params?.length) return query(text, params);
      stops.push(await db.listen(channel, (payload) => client.emit('notification', { channel, payload })));
      return { rows: [] };
    },
    release: () => {
      for (const stop of stops.splice(0)) if (!db.closed) void stop().catch(() => {});
    },
  });
  client.setMaxListeners(0);
  return client as unknown as PgPoolClient;
}

const withCount = <R>({ rows, affectedRows }: { rows: R[]; affectedRows?: number }) => ({
  rows,
  rowCount: affectedRows ?? rows.length,
});
