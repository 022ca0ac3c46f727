/** What an address names: one GeoTIFF over HTTP, or those under a prefix or a pattern on S3. */
import { extname } from 'node:path';
import { ConfigError } from '../errors.js';
import { isS3, listObjects, openRemote, parseS3, type RemoteIdentity, s3Address } from '../remote/index.js';
import { MAP_ENDINGS } from './format.js';
import type { MapFile } from './list.js';

const ENDINGS = ['.tif', '.tiff'];

/** The maps that an address names: one file over HTTP, or objects by prefix or pattern. ConfigError: none there. */
export async function listRemote(source: string): Promise<MapFile[]> {
  return isS3(source) ? listS3(source) : [await listHttp(source)];
}

async function listHttp(source: string): Promise<MapFile> {
  const path = source.replace(/^https?/i, (scheme) => scheme.toLowerCase());
  const fault = unsupported(path);
  if (fault) throw fault;
  const file = await openRemote(path, { first: 1 }).catch((error) => {
    throw error.code === 'ENOENT' ? missing(path, error) : error;
  });
  return mapFile(path, file, [], path.split('/').at(-2) ?? '');
}

async function listS3(source: string): Promise<MapFile[]> {
  const { bucket, key } = parseS3(source);
  const parts = key.split('/');
  const fixed = parts.findIndex((part) => /[*?]/.test(part));
  const single = fixed < 0 && ENDINGS.includes(extname(key).toLowerCase());
  const base = fixed >= 0 ? parts.slice(0, fixed) : single ? parts.slice(0, -1) : parts;
  const matches = fixed >= 0 ? globMatcher(key) : single ? (name: string) => name === key : () => true;
  const { objects } = await listObjects({ bucket, key: base.join('/') });
  const found = new Map<string, MapFile>();
  for (const object of objects) {
    const name = object.name.replace(/(\.zarr)\/.*$/i, '$1'); // many objects, one array
    const whole = [...base, name].filter(Boolean).join('/');
    const folders = name.split('/').slice(0, -1);
    if (!matches(whole) || !isNamedLikeMap(whole)) continue;
    const path = s3Address({ bucket, key: whole });
    const file = mapFile(path, object, folders, base.at(-1) || bucket);
    const fault = unsupported(path);
    found.set(path, fault ? { ...file, fault } : file);
  }
  if (found.size === 0 && single) throw missing(source);
  return [...found.values()];
}

const mapFile = (
  path: string,
  { size, etag, mtimeMs }: RemoteIdentity,
  folders: string[],
  source: string,
): MapFile => ({ path, size, mtimeMs, ...(etag !== null && { etag }), folders, source });

const isNamedLikeMap = (key: string): boolean =>
  !key.slice(key.lastIndexOf('/') + 1).startsWith('.') && MAP_ENDINGS.includes(extname(key).toLowerCase());

function globMatcher(pattern: string): (key: string) => boolean {
  const parts = pattern.split(/(\*\*\/?|\*|\?)/).map((part) => {
    if (part.startsWith('**')) return '.*';
    if (part === '*') return '[^/]*';
    return part === '?' ? '[^/]' : part.replace(/[.+^$()|[\]\\{}]/g, '\\$&');
  });
  const matcher = new RegExp(`^${parts.join('')}$`);
  return (key) => matcher.test(key);
}

function unsupported(path: string): ConfigError | null {
  const ending = extname(path.replace(/[?#].*$/s, '')).toLowerCase();
  if (ENDINGS.includes(ending)) return null;
  const what = ending === '' || ending.includes('/') ? 'a page or a folder' : `a ${ending} file`;
  return new ConfigError(`cannot read ${path}: it is ${what}; over a network only GeoTIFF is read`, {
    hint: `give the address of a file that ends in ${ENDINGS.join(' or ')}, or download the others and give their folder`,
    fields: { path, ending },
  });
}

const missing = (path: string, cause?: unknown): ConfigError =>
  new ConfigError(`cannot read ${path}: it is not there`, {
    hint: 'check the address',
    cause,
    fields: { path, code: 'ENOENT' },
  });
