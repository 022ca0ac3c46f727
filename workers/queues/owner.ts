/**
 * One process owns a queue folder: owner.json names it. A file whose process is gone is taken over; a living owner
 * gives a QueueError with the cure.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { QueueError } from '../../pipeline/errors.js';

export interface Owner {
  pid: number;
  host: string;
  /** When the process began, as the system counts it; tells a reused pid apart. Null where unknown. */
  began: string | null;
  /** Where the owner answers `stormreel queue`. */
  socket: string;
}

/** A killed owner may still be going away. */
const PATIENCE_MS = 2_000;
const fileOf = (folder: string) => join(folder, 'owner.json');

/** Becomes the owner of `folder` and returns what gives it up again. */
export async function acquire(folder: string, socket: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true });
  const text = JSON.stringify({
    pid: process.pid,
    host: hostname(),
    began: await began(process.pid),
    socket,
  } satisfies Owner);
  for (const start = Date.now(); ; await sleep(100)) {
    if (await createExclusive(fileOf(folder), text))
      return async () => {
        if ((await read(folder)) === text) await unlink(fileOf(folder)).catch(() => {});
      };
    const standing = await read(folder);
    if (standing === null) continue;
    const owner = parse(standing);
    if (!owner || !(await isAlive(owner))) await setAside(folder, standing);
    else if (Date.now() - start > PATIENCE_MS) throw ownedError(folder, owner);
  }
}

/** The living owner of `folder`; null when there is none. */
export async function currentOwner(folder: string): Promise<Owner | null> {
  const text = await read(folder);
  const owner = text === null ? null : parse(text);
  return owner && (await isAlive(owner)) ? owner : null;
}

export function ownedError(folder: string, { pid, host }: Owner): QueueError {
  return new QueueError(`the queue in ${folder} belongs to process ${pid} on ${host}, which is running`, {
    hint: 'wait for it or stop it; for several processes at once use a Redis server: --queue redis://HOST:6379',
    fields: { folder, pid, host },
  });
}

/** The file appears whole or not at all. */
async function createExclusive(path: string, text: string): Promise<boolean> {
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, text);
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(temporary);
  }
}

/** Moves a stale file away; one that another process made meanwhile is put back. */
async function setAside(folder: string, stale: string): Promise<void> {
  const aside = `${fileOf(folder)}.${randomUUID()}`;
  try {
    await rename(fileOf(folder), aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== stale) await link(aside, fileOf(folder)).catch(() => {});
  await unlink(aside);
}

async function read(folder: string): Promise<string | null> {
  return readFile(fileOf(folder), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}

function parse(text: string): Owner | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A process of another machine cannot be looked at, so it counts as alive. */
async function isAlive({ pid, host, began: then }: Owner): Promise<boolean> {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const now = await began(pid);
  return then === null || now === null || now === then;
}

/** Field 22 of /proc/PID/stat on Linux: start time in clock ticks since boot. */
async function began(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return stat === null ? null : stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}
