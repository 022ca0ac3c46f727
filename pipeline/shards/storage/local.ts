/** A dataset in a folder: temporary name, fsync, rename or link, fsync of the folder. */
import { randomUUID } from 'node:crypto';
import type { Dirent } from 'node:fs';
import {
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  unlink,
} from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { ConfigError } from '../../errors.js';
import { isMissing, type Storage } from './storage.js';

/** Temporary files of every writer start with this; `finalise` sweeps them. */
const TEMPORARY = '.tmp-';
const FOLDERS = ['plan', 'commits', 'shards'];

/** `folder`: absolute. */
export function localStorage(folder: string): Storage {
  const at = (name: string): string => join(folder, name);
  return {
    address: folder,
    locate: at,
    prepare: () => makeFolders(folder),
    read: (name) => readFile(at(name)),
    open: (name) => open(at(name), 'r'),
    size: (name) =>
      stat(at(name)).then(
        ({ size }) => size,
        (error) => whereMissing(error, null),
      ),
    list: (name, { deep = false } = {}) =>
      (deep ? filesBelow(at(name)) : readdir(at(name))).catch((error) => whereMissing(error, [])),
    createExclusive: (name, bytes) => createExclusive(at(name), bytes),
    replace: (name, bytes) => replace(at(name), bytes),
    move: async (from, to) => {
      await mkdir(dirname(at(to)), { recursive: true });
      await rename(at(from), at(to)).catch((error) => whereMissing(error, undefined));
    },
    remove: (name) => rm(at(name), { recursive: true, force: true }),
    sweep: () => sweepTemporary(folder),
    forget: async () => false,
  };
}

function whereMissing<T>(error: unknown, value: T): T {
  if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'ENOTDIR') return value;
  throw error;
}

async function makeFolders(folder: string): Promise<void> {
  try {
    for (const name of FOLDERS) await mkdir(join(folder, name), { recursive: true });
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException;
    if (!['EEXIST', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS'].includes(code)) throw cause;
    throw new ConfigError(`cannot make a dataset in ${folder}: ${code}`, {
      hint: 'give --out a folder that is not there yet, or one that you may write to',
      cause,
      fields: { dir: folder, code },
    });
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries: Dirent[] = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

/** Bytes, text, or bytes in pieces. */
type Content = Uint8Array | string | readonly Uint8Array[];

async function replace(path: string, bytes: Content): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = await writeTemporary(path, bytes);
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

async function createExclusive(path: string, bytes: Uint8Array | string): Promise<boolean> {
  const temporary = await writeTemporary(path, bytes);
  try {
    await link(temporary, path);
    await syncFolder(dirname(path));
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    // NFS may answer with an error although the link was made.
    if ((await stat(temporary)).nlink === 2) return true;
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'EOPNOTSUPP')
      throw new ConfigError(`cannot commit to ${dirname(path)}: this file system has no hard links`, {
        hint: 'put the dataset on a local disk, or on a network file system with hard links (NFS)',
        cause: error,
      });
    throw error;
  } finally {
    await unlink(temporary).catch(() => {});
  }
}

async function writeTemporary(path: string, bytes: Content): Promise<string> {
  const temporary = join(dirname(path), `${TEMPORARY}${basename(path)}-${randomUUID()}`);
  const file = await open(temporary, 'wx');
  try {
    if (typeof bytes === 'string' || bytes instanceof Uint8Array) await file.writeFile(bytes);
    else for (const piece of bytes) await writePiece(file, piece);
    await file.sync();
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  } finally {
    await file.close();
  }
  return temporary;
}

async function writePiece(file: FileHandle, piece: Uint8Array): Promise<void> {
  for (let at = 0; at < piece.length; )
    at += (await file.write(piece, at, Math.min(piece.length - at, MOST_AT_ONCE))).bytesWritten;
}

const MOST_AT_ONCE = 2 ** 26;

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return; // a folder cannot be opened there
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Those of shards are swept with the shards that no commit names. */
async function sweepTemporary(folder: string): Promise<void> {
  for (const inner of [folder, join(folder, 'plan'), join(folder, 'commits'), join(folder, 'labels')])
    for (const name of await readdir(inner).catch((error) => whereMissing(error, [])))
      if (name.startsWith(TEMPORARY)) await rm(join(inner, name), { recursive: true, force: true });
}
