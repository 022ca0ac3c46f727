/** Files of one Zarr store by key, read within its folder and within limits. */
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { AsyncReadable } from '@zarrita/storage';
import { BadRasterError } from '../../errors.js';
import { unreadable } from '../unreadable.js';

/** Metadata of version 3 and 2. */
export const METADATA = ['zarr.json', '.zarray', '.zattrs', '.zgroup'] as const;
const MOST_METADATA_BYTES = 16 << 20;
const MOST_NODES = 4_096;
const MOST_DEPTH = 4;

export interface Store extends AsyncReadable {
  root: string;
}

export function openStore(root: string, mostBytes: number): Store {
  const file = (key: string) => join(root, key.replace(/^\//, ''));
  return {
    root,
    async get(key) {
      const path = file(key);
      const info = await fileInfo(path);
      if (!info) return undefined;
      const most = /\/(zarr\.json|\.z\w+)$/.test(key) ? MOST_METADATA_BYTES : mostBytes;
      if (info.size > most) throw tooBig(path, info.size, most);
      return new Uint8Array(await readFile(path).catch((cause) => Promise.reject(unreadable(path, cause))));
    },
    async getRange(key, range) {
      const path = file(key);
      const info = await fileInfo(path);
      if (!info) return undefined;
      const length = 'suffixLength' in range ? range.suffixLength : range.length;
      const offset = 'suffixLength' in range ? info.size - length : range.offset;
      if (!(offset >= 0 && length >= 0 && offset + length <= info.size))
        throw corrupt(path, `bytes ${offset} to ${offset + length} are needed, it has ${info.size}`);
      if (length > mostBytes) throw tooBig(path, length, mostBytes);
      return readRange(path, offset, length);
    },
  };
}

/** Null where there is no file: a chunk that was never written. */
export async function fileInfo(path: string): Promise<{ size: number; mtimeMs: number } | null> {
  const info = await stat(path).catch((cause) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return null;
    throw unreadable(path, cause);
  });
  if (info && !info.isFile()) throw corrupt(path, 'it is no file');
  return info && { size: info.size, mtimeMs: info.mtimeMs };
}

async function readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
  const handle = await open(path).catch((cause) => Promise.reject(unreadable(path, cause)));
  try {
    const out = new Uint8Array(length);
    const { bytesRead } = await handle.read(out, 0, length, offset);
    if (bytesRead === length) return out;
    throw corrupt(path, `it ends ${length - bytesRead} bytes early`);
  } finally {
    await handle.close();
  }
}

/** Names of the arrays, `group/name`, by folder; those in the root first. */
export async function arrayNames(root: string): Promise<string[]> {
  const names: string[] = [];
  const walk = async (prefix: string, depth: number): Promise<void> => {
    const entries = await readdir(join(root, prefix), { withFileTypes: true }).catch((cause) => {
      throw unreadable(join(root, prefix), cause);
    });
    const groups: string[] = [];
    for (const entry of entries.filter((e) => e.isDirectory()).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = prefix + entry.name;
      const kind = await nodeKind(join(root, name));
      if (kind === 'array') names.push(name);
      else if (kind === 'group') groups.push(name);
      if (names.length > MOST_NODES) throw corrupt(root, `it has more than ${MOST_NODES} arrays`);
    }
    if (depth < MOST_DEPTH) for (const group of groups) await walk(`${group}/`, depth + 1);
  };
  await walk('', 0);
  return names;
}

async function nodeKind(folder: string): Promise<'array' | 'group' | null> {
  if (await fileInfo(join(folder, '.zarray'))) return 'array';
  if (await fileInfo(join(folder, '.zgroup'))) return 'group';
  const info = await fileInfo(join(folder, 'zarr.json'));
  if (!info) return null;
  if (info.size > MOST_METADATA_BYTES) throw tooBig(folder, info.size, MOST_METADATA_BYTES);
  return (await readJson(join(folder, 'zarr.json')))?.node_type === 'array' ? 'array' : 'group';
}

/** Null where there is no such file. BadRasterError: no JSON object. */
export async function readJson(path: string): Promise<Record<string, unknown> | null> {
  const info = await fileInfo(path);
  if (!info) return null;
  if (info.size > MOST_METADATA_BYTES) throw tooBig(path, info.size, MOST_METADATA_BYTES);
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (value !== null && typeof value === 'object' && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (cause) {
    throw corrupt(path, `it is no JSON: ${(cause as Error).message}`);
  }
  throw corrupt(path, 'it is no JSON object');
}

export const corrupt = (path: string, found: string, cause?: unknown): BadRasterError =>
  new BadRasterError(`cannot read ${path} as Zarr: ${found}`, {
    hint: 'get the store again, or leave it out with --on-bad-frame skip',
    cause,
    fields: { path },
  });

const tooBig = (path: string, bytes: number, most: number): BadRasterError =>
  corrupt(path, `${bytes} bytes, ${most} are allowed`);
