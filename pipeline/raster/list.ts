/** Folders, globs and files -> the map files they name, in path order. */
import type { Dirent, Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { ConfigError } from '../errors.js';
import { MAP_ENDINGS } from './format.js';
import { unreadable } from './unreadable.js';

export interface MapFile {
  /** Absolute. */
  path: string;
  size: number;
  mtimeMs: number;
  /** Folders between the source and the file, outermost first; empty where the file lies in the source itself. */
  folders: string[];
  /** Name of the folder that was given, or that holds the given file. */
  source: string;
}

/** ConfigError: a source that is not there, or that holds no map. */
export async function listMaps(sources: readonly string[]): Promise<MapFile[]> {
  const found = new Map<string, MapFile>();
  for (const source of sources) {
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(source))
      throw new ConfigError(`cannot read ${source}: maps over the network are not supported yet`, {
        hint: 'download the files and give their folder',
      });
    const files = /[*?]/.test(source) ? await globbed(source) : await listed(resolve(source));
    if (files.length === 0)
      throw new ConfigError(`${source} holds no map`, { hint: `maps end in ${MAP_ENDINGS.join(' ')}` });
    for (const file of files) found.set(file.path, file);
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function listed(path: string): Promise<MapFile[]> {
  const info = await stat(path).catch((cause) => {
    throw cause.code === 'ENOENT' ? missing(path, cause) : unreadable(path, cause);
  });
  if (info.isFile())
    return [{ path, size: info.size, mtimeMs: info.mtimeMs, folders: [], source: basename(dirname(path)) }];
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch((cause) => {
    throw unreadable(cause.path ?? path, cause);
  });
  const maps = entries.filter(mayBeMap).map((e) => join(e.parentPath, e.name));
  const files = await Promise.all(maps.map((file) => describe(file, path)));
  return files.filter((file) => file !== null);
}

const mayBeMap = (entry: Dirent): boolean => (entry.isFile() || entry.isSymbolicLink()) && isMap(entry.name);

const missing = (path: string, cause: unknown): ConfigError =>
  new ConfigError(`cannot read ${path}: it is not there`, {
    hint: 'give a folder, a file or a quoted glob such as "maps/*.tif"',
    cause,
    fields: { path, code: 'ENOENT' },
  });

async function globbed(pattern: string): Promise<MapFile[]> {
  const absolute = resolve(pattern);
  const parts = absolute.split(sep);
  const base =
    parts
      .slice(
        0,
        parts.findIndex((part) => /[*?]/.test(part)),
      )
      .join(sep) || sep;
  const matcher = new RegExp(
    `^${absolute
      .split(/(\*\*\/?|\*|\?)/)
      .map((part) =>
        part.startsWith('**')
          ? '.*'
          : part === '*'
            ? '[^/]*'
            : part === '?'
              ? '[^/]'
              : part.replace(/[.+^$()|[\]\\{}]/g, '\\$&'),
      )
      .join('')}$`,
  );
  return (await listed(base)).filter(({ path }) => matcher.test(path));
}

const isMap = (name: string): boolean =>
  !name.startsWith('.') && MAP_ENDINGS.some((end) => name.toLowerCase().endsWith(end));

/** Null for a link to a folder. ConfigError: a link to nothing. */
async function describe(path: string, root: string): Promise<MapFile | null> {
  const info: Stats = await stat(path).catch((cause) => {
    throw unreadable(path, cause);
  });
  if (!info.isFile()) return null;
  const { size, mtimeMs } = info;
  const folders = dirname(relative(root, path))
    .split(sep)
    .filter((part) => part !== '.');
  return { path, size, mtimeMs, folders, source: basename(root) };
}
