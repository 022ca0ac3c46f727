/**
 * What tells one state of a store from another, for one time: its metadata files and the chunk files that hold that time. A
 * chunk that is written anew changes the frames in it, and no others.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fieldNames, type VariableFile } from '../cf/index.js';
import type { DecodeLimits } from '../limits.js';
import { unreadable } from '../unreadable.js';
import type { ZarrArray } from './array.js';
import { chunksOf, openZarr } from './read.js';
import { corrupt, fileInfo, METADATA } from './store.js';

export interface StoreIdentity {
  /** Bytes of all files together. */
  size: number;
  /** Of the file written last. */
  mtimeMs: number;
}

export const isZarr = (path: string): boolean => /\.zarr\/?$/i.test(path);

/**
 * Function from a position on the time axis to what is to be recorded for it: all fields count, whichever are chosen.
 * `times`: how many positions will be asked for; of many, what is there is listed once, not looked for chunk by chunk.
 */
export async function storeIdentity(
  path: string,
  limits: DecodeLimits,
  times = 1,
): Promise<(index: number) => Promise<StoreIdentity>> {
  const file = await openZarr(path, limits);
  const keys = keysOf(file, await fieldNames(file, limits));
  const each = keys(0).length;
  if (each * times > MOST_KEYS)
    throw corrupt(path, `its ${times} maps lie in ${each} files each, ${MOST_KEYS} in all are allowed`);
  const there = times > 1 ? await filesIn(path) : null;
  const known = new Map<string, Awaited<ReturnType<typeof fileInfo>>>();
  return async (index) => {
    const found: StoreIdentity = { size: 0, mtimeMs: 0 };
    for (const key of keys(index)) {
      if (there && !there.has(key)) continue;
      if (!known.has(key)) known.set(key, await fileInfo(join(path, key)));
      const info = known.get(key);
      if (!info) continue;
      found.size += info.size;
      found.mtimeMs = Math.max(found.mtimeMs, info.mtimeMs);
    }
    return found;
  };
}

/** Files of all maps of one store: twenty bands of an hourly century. */
const MOST_KEYS = 2 ** 24;

/** Null where links lead to other folders, which are not listed. */
async function filesIn(path: string): Promise<Set<string> | null> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch((cause) => {
    throw unreadable(path, cause);
  });
  if (entries.some((entry) => entry.isSymbolicLink())) return null;
  return new Set(
    entries
      .filter((entry) => !entry.isDirectory())
      .map((e) => relative(path, join(e.parentPath, e.name)).split(sep).join('/')),
  );
}

/** sha256 over key and bytes of each of those files, in the order of their keys; a file that is not there counts as empty. */
export async function storeHash(
  path: string,
  fields: readonly string[],
  index: number,
  limits: DecodeLimits,
  fileHash: (path: string, work: () => Promise<string>) => Promise<string>,
): Promise<string> {
  const hash = createHash('sha256');
  for (const key of keysOf(await openZarr(path, limits), fields)(index)) {
    const file = join(path, key);
    const info = await fileInfo(file);
    if (!info) continue;
    const one = await fileHash(`${file}\0${info.size}\0${info.mtimeMs}`, async () => {
      const bytes = await readFile(file).catch((cause) => Promise.reject(unreadable(file, cause)));
      return createHash('sha256').update(bytes).digest('hex');
    });
    hash.update(`${key}\0${one}\n`);
  }
  return hash.digest('hex');
}

function keysOf({ variables }: VariableFile, fields: readonly string[]): (index: number) => string[] {
  const arrays = fields
    .map((name) => variables.get(name) as ZarrArray | undefined)
    .filter((array) => array !== undefined);
  const named = new Set(arrays.flatMap((array) => [array.name, ...array.dimensions]));
  const nodes = ['', ...variables.keys()].filter((name) => name === '' || named.has(name));
  const metadata = nodes.flatMap((name) => METADATA.map((file) => (name ? `${name}/${file}` : file)));
  // Coordinates are small; all of their chunks count.
  const coordinates = [...named]
    .filter((name) => !fields.includes(name) && variables.has(name))
    .flatMap((name) => {
      const array = variables.get(name) as ZarrArray;
      return filesOf(
        array,
        array.shape.map(() => 0),
        array.shape,
      );
    });
  return (index) => {
    const own = arrays.flatMap((array) => {
      const rank = array.shape.length;
      const start = array.shape.map((_, d) => (d === 0 && rank > 2 && array.shape[0] > 1 ? index : 0));
      return filesOf(
        array,
        start,
        array.shape.map((size, d) => (d >= rank - 2 ? size : 1)),
      );
    });
    return [...new Set([...metadata, ...coordinates, ...own])].sort();
  };
}

const filesOf = (array: ZarrArray, start: readonly number[], count: readonly number[]): string[] =>
  chunksOf({ chunkShape: array.fileShape }, start, count, array.name).map(
    (at) => `${array.name}/${array.key(at)}`,
  );
