/** Folders, globs and files -> the map files they name, in path order. */
import type { Dirent, Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { BadRasterError, ConfigError, isStormreelError, type StormreelError } from '../errors.js';
import { isRemote } from '../remote/index.js';
import { MAP_ENDINGS } from './format.js';
import { listRemote } from './remoteList.js';
import { isStac, readStac, type StacAsset, type StacOptions } from './stac/index.js';
import { unreadable } from './unreadable.js';
import { isZarr } from './zarr/index.js';

export interface MapFile {
  /** Absolute, or the address of a file on another machine. */
  path: string;
  size: number;
  mtimeMs: number;
  /** Of a file on another machine. */
  etag?: string;
  /** Folders between the source and the file, outermost first; empty where the file lies in the source itself. */
  folders: string[];
  /** Name of the folder that was given, or that holds the given file. */
  source: string;
  /** What a STAC item says of it. */
  stac?: Pick<StacAsset, 'time' | 'band' | 'series'>;
  /** Why it cannot be read although it is named like a map: a link out of the source, a folder, a pipe ... */
  fault?: StormreelError;
}

export interface ListOptions {
  /** Reads what links in a folder point to, wherever that is; without it only targets inside the source. */
  followLinks?: boolean;
  /** How items of STAC are read, where a source is a JSON file. */
  stac?: StacOptions;
}

/** ConfigError: a source that is not there, or that holds no map. */
export async function listMaps(
  sources: readonly string[],
  { followLinks = false, stac = {} }: ListOptions = {},
): Promise<MapFile[]> {
  const found = new Map<string, MapFile>();
  for (const source of sources) {
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(source)?.[1];
    if (scheme && !isRemote(source))
      throw new ConfigError(`cannot read ${scheme}:// addresses`, {
        hint: 'give a folder, https:// or s3://; download the files otherwise',
        fields: { scheme },
      });
    const files = scheme
      ? await listRemote(source)
      : /[*?]/.test(source)
        ? await globbed(source, followLinks)
        : isStac(source)
          ? await ofItems(resolve(source), stac)
          : await listed(resolve(source), followLinks);
    if (files.length === 0)
      throw new ConfigError(`${source} holds no map`, { hint: `maps end in ${MAP_ENDINGS.join(' ')}` });
    for (const file of files) found.set(`${file.path}\0${file.stac?.time ?? ''}`, file);
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The maps that the items of a STAC file name. */
async function ofItems(path: string, options: StacOptions): Promise<MapFile[]> {
  const place = { folders: [], source: basename(dirname(path)) };
  try {
    const found = await readStac(path, MAP_ENDINGS, options);
    return await Promise.all(
      found.map((one) => {
        if (!('fault' in one)) return ofAsset(one, place);
        return {
          path: found.length > 1 ? `${path}#${one.item}` : path,
          size: 0,
          mtimeMs: 0,
          ...place,
          fault: one.fault,
        };
      }),
    );
  } catch (fault) {
    if (!isStormreelError(fault) || 'code' in fault.fields) throw fault;
    return [{ path, size: 0, mtimeMs: 0, ...place, fault }];
  }
}

async function ofAsset(
  { href, time, band, series }: StacAsset,
  place: Pick<MapFile, 'folders' | 'source'>,
): Promise<MapFile> {
  const stac = { time, band, series };
  try {
    const files = isRemote(href) ? await listRemote(href) : await listed(href, true);
    if (files.length === 1) return { ...files[0], ...place, stac };
    throw new BadRasterError(
      `cannot read ${href}: it is a folder of ${files.length} maps; one map was expected`,
      {
        hint: 'correct the href of the STAC asset, or leave the item out with --on-bad-frame skip',
        fields: { path: href, maps: files.length },
      },
    );
  } catch (fault) {
    if (!isStormreelError(fault)) throw fault;
    return { path: href, size: 0, mtimeMs: 0, ...place, stac, fault };
  }
}

async function listed(path: string, followLinks: boolean): Promise<MapFile[]> {
  const info = await stat(path).catch((cause) => {
    throw cause.code === 'ENOENT' ? missing(path, cause) : unreadable(path, cause);
  });
  if (info.isFile())
    return [{ path, size: info.size, mtimeMs: info.mtimeMs, folders: [], source: basename(dirname(path)) }];
  if (!info.isDirectory()) throw noFile(path, info);
  const all = await readdir(path, { recursive: true, withFileTypes: true }).catch((cause) => {
    throw unreadable(cause.path ?? path, cause);
  });
  const root = { path, real: followLinks ? null : await realpath(path) };
  const links = all.filter((entry) => entry.isSymbolicLink());
  if (isZarr(path)) return [await store(path, links, root, { folders: [], source: basename(dirname(path)) })];
  const stores = all
    .filter((entry) => entry.isDirectory() && isZarr(entry.name))
    .map((e) => join(e.parentPath, e.name));
  const entries = all.filter((e) => !stores.some((at) => `${e.parentPath}${sep}`.startsWith(at + sep)));
  const outer = stores.filter((at) => !stores.some((other) => at.startsWith(other + sep)));
  const named = entries.filter((entry) => isMap(entry.name) && !(entry.isDirectory() && isZarr(entry.name)));
  const files = await Promise.all(
    named.filter((e) => !e.isDirectory()).map((entry) => describe(entry, root)),
  );
  const kept = await Promise.all(outer.map((at) => store(at, links, root, placeIn(path, at))));
  return [...files, ...kept, ...(await emptyFolders(named, files, path))];
}

/**
 * A Zarr store is one map of many files, each time of which has its own size and time of writing. A link in it that leads out
 * of the source, or nowhere, is its fault: a chunk that is not there would count as one without values.
 */
async function store(
  path: string,
  links: readonly Dirent[],
  root: { path: string; real: string | null },
  place: Pick<MapFile, 'folders' | 'source'>,
): Promise<MapFile> {
  const file = { path, size: 0, mtimeMs: 0, ...place };
  for (const link of links.filter(({ parentPath }) => `${parentPath}${sep}`.startsWith(path + sep))) {
    const at = join(link.parentPath, link.name);
    try {
      const target = await realpath(at);
      if (root.real !== null && !target.startsWith(`${root.real}${sep}`))
        return { ...file, fault: leadsOut(at, target, root.path) };
    } catch (cause) {
      const fault = unreadable(at, cause as NodeJS.ErrnoException);
      if (!isStormreelError(fault)) throw fault;
      return { ...file, fault };
    }
  }
  return file;
}

/** A folder that is named like a map and holds none is taken for one that went wrong. */
async function emptyFolders(
  named: readonly Dirent[],
  files: readonly MapFile[],
  root: string,
): Promise<MapFile[]> {
  const folders = named.filter((entry) => entry.isDirectory()).map((e) => join(e.parentPath, e.name));
  const empty = folders.filter((folder) => !files.some(({ path }) => path.startsWith(folder + sep)));
  return Promise.all(empty.map(async (path) => refused(path, root, noFile(path, await stat(path)))));
}

const missing = (path: string, cause: unknown): ConfigError =>
  new ConfigError(`cannot read ${path}: it is not there`, {
    hint: 'give a folder, a file or a quoted glob such as "maps/*.tif"',
    cause,
    fields: { path, code: 'ENOENT' },
  });

async function globbed(pattern: string, followLinks: boolean): Promise<MapFile[]> {
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
  return (await listed(base, followLinks)).filter(({ path }) => matcher.test(path));
}

const isMap = (name: string): boolean =>
  !name.startsWith('.') && MAP_ENDINGS.some((end) => name.toLowerCase().endsWith(end));

/** What lies at `entry`; with a fault where that is no file, is not there, or lies outside `root.real`. */
async function describe(entry: Dirent, root: { path: string; real: string | null }): Promise<MapFile> {
  const path = join(entry.parentPath, entry.name);
  try {
    const info = await stat(path);
    if (!info.isFile()) return refused(path, root.path, noFile(path, info));
    const target = root.real !== null && entry.isSymbolicLink() ? await realpath(path) : null;
    if (target !== null && !target.startsWith(`${root.real}${sep}`))
      return refused(path, root.path, leadsOut(path, target, root.path));
    const { size, mtimeMs } = info;
    return { path, size, mtimeMs, ...placeIn(root.path, path) };
  } catch (cause) {
    const fault = unreadable(path, cause as NodeJS.ErrnoException);
    if (!isStormreelError(fault)) throw fault;
    return refused(path, root.path, fault);
  }
}

const refused = (path: string, root: string, fault: StormreelError): MapFile => ({
  ...{ path, size: 0, mtimeMs: 0, fault },
  ...placeIn(root, path),
});

function placeIn(root: string, path: string): Pick<MapFile, 'folders' | 'source'> {
  const folders = dirname(relative(root, path))
    .split(sep)
    .filter((part) => part !== '.');
  return { folders, source: basename(root) };
}

function noFile(path: string, info: Stats): BadRasterError {
  const found = info.isDirectory()
    ? 'a folder without maps'
    : info.isFIFO()
      ? 'a pipe'
      : info.isSocket()
        ? 'a socket'
        : 'a device';
  return new BadRasterError(`cannot read ${path}: it is ${found}; a file was expected`, {
    hint: 'take it away, or leave it out with --on-bad-frame skip',
    fields: { path, found },
  });
}

/** Somebody else's archive, unpacked, may hold links to files that only this user may read. */
function leadsOut(path: string, target: string, root: string): ConfigError {
  return new ConfigError(`cannot read ${path}: it is a link to ${target}, outside of ${root}`, {
    hint: 'if you trust the links in this folder, add --follow-links; or leave them out with --on-bad-frame skip',
    fields: { path, target },
  });
}
