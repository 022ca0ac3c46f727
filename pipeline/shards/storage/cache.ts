/**
 * Copies of objects on this machine, the least recently used thrown away beyond a limit. Processes share the folder: a
 * copy appears whole, under a name of server, object and ETag, and an open one outlives its removal.
 */
import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { downloadObject, headObject, remoteSettings, type S3Place, s3Address } from '../../remote/index.js';

const TEMPORARY = '.tmp-';
/** A download that is older was killed. */
const STALE_MS = 3_600_000;

/** The copy, opened for reading; made first where there is none. ENOENT: no such object. */
export async function cachedObject(place: S3Place): Promise<FileHandle> {
  const head = await headObject(place);
  if (!head) throw Object.assign(new Error(`${s3Address(place)} is not there`), { code: 'ENOENT' });
  const { cache, cacheBytes } = remoteSettings();
  const folder = join(cache, 'objects');
  const path = join(folder, `${stemOf(place)}-${hashOf(head.etag).slice(0, 16)}`);
  const hit = await openWhole(path, head.size);
  if (hit) return hit;
  await mkdir(folder, { recursive: true });
  const temporary = join(folder, `${TEMPORARY}${randomUUID()}`);
  try {
    await downloadObject(place, temporary, { etag: head.etag });
    const file = await open(temporary, 'r'); // before others may throw it away
    await rename(temporary, path).catch(async (error) => {
      await file.close();
      throw error;
    });
    await evict(folder, cacheBytes, path);
    return file;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Throws the copies of an object away; false when there is none. */
export async function forgetObject(place: S3Place): Promise<boolean> {
  const folder = join(remoteSettings().cache, 'objects');
  const names = await readdir(folder).catch(() => [] as string[]);
  const copies = names.filter((name) => name.startsWith(`${stemOf(place)}-`));
  for (const name of copies) await rm(join(folder, name), { force: true });
  return copies.length > 0;
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

const stemOf = (place: S3Place): string =>
  hashOf(`${remoteSettings().endpoint}\n${s3Address(place)}`).slice(0, 32);

async function openWhole(path: string, size: number): Promise<FileHandle | null> {
  const file = await open(path, 'r').catch(() => null);
  if (!file) return null;
  if ((await file.stat()).size === size) {
    const now = new Date();
    await utimes(path, now, now).catch(() => {}); // its last use
    return file;
  }
  await file.close();
  return null;
}

async function evict(folder: string, limit: number, kept: string): Promise<void> {
  const found: { path: string; size: number; used: number }[] = [];
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const info = await stat(path).catch(() => null); // another process was faster
    if (!info) continue;
    if (!name.startsWith(TEMPORARY)) found.push({ path, size: info.size, used: info.mtimeMs });
    else if (Date.now() - info.mtimeMs > STALE_MS) await rm(path, { force: true });
  }
  let held = found.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size } of found.sort((a, b) => a.used - b.used)) {
    if (held <= limit) return;
    if (path === kept) continue;
    await rm(path, { force: true });
    held -= size;
  }
}
