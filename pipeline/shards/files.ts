/** Files that appear whole or not at all: temporary name, fsync, rename or link, fsync of the folder. */
import { randomUUID } from 'node:crypto';
import { link, open, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ConfigError } from '../errors.js';

/** Temporary files of every writer start with this; `finalise` sweeps them. */
export const TEMPORARY = '.tmp-';

/** Replaces `path` in one move. */
export async function writeAtomic(path: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = await writeTemporary(path, bytes);
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

/** Creates `path`; false when it is there already, whoever made it. A file seen under `path` is always complete. */
export async function createExclusive(path: string, bytes: Uint8Array | string): Promise<boolean> {
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

async function writeTemporary(path: string, bytes: Uint8Array | string): Promise<string> {
  const temporary = join(dirname(path), `${TEMPORARY}${basename(path)}-${randomUUID()}`);
  const file = await open(temporary, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  } finally {
    await file.close();
  }
  return temporary;
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return; // a folder cannot be opened there
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
