/**
 * STAC items and item collections (stacspec.org, 1.0 and 1.1) in JSON files: which files of each item are maps, and of what
 * time. Grid and CRS come from the files themselves, whatever `proj:` says.
 */
import { readFile, stat } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { BadRasterError, TimeError } from '../../errors.js';
import { isRemote } from '../../remote/index.js';
import { textTime } from '../time.js';
import { unreadable } from '../unreadable.js';

export interface StacAsset {
  /** Absolute path, or an address. */
  href: string;
  /** ms UTC. */
  time: number;
  /** Key of the asset where an item has several, or it was asked for: a band of the map. Null where it is the whole map. */
  band: string | null;
  /** Name of the collection. */
  series: string | null;
  item: string;
}

export interface StacOptions {
  /** Keys of the assets to take, where an item has some of them. */
  bands?: readonly string[];
  /** Time of items that cover a span. */
  time?: 'start' | 'end';
  assumeUtc?: boolean;
}

const Asset = z.looseObject({
  href: z.string(),
  type: z.string().nullish(),
  roles: z.array(z.string()).nullish(),
});
const Item = z.looseObject({
  type: z.literal('Feature'),
  stac_version: z.string(),
  id: z.string(),
  collection: z.string().nullish(),
  properties: z.looseObject({
    datetime: z.string().nullish(),
    start_datetime: z.string().nullish(),
    end_datetime: z.string().nullish(),
  }),
  assets: z.record(z.string(), Asset),
});
type Item = z.infer<typeof Item>;

const MOST_BYTES = 64 << 20;
/** Longer than any path that a file system takes. */
const MOST_LETTERS = 8_192;
/** Letters of an item's name that are told. */
const MOST_NAME = 100;

export const isStac = (path: string): boolean => /\.(geo)?json$/i.test(path);

/** An item that gives no map; the others of its file are not touched. */
export interface StacFault {
  /** Its id where it has one, else its place in the file. */
  item: string;
  fault: BadRasterError | TimeError;
}

/** BadRasterError: no STAC or no items. What is wrong with one item (no map, not one time) stands beside the assets of the others. */
export async function readStac(
  path: string,
  endings: readonly string[],
  options: StacOptions = {},
): Promise<(StacAsset | StacFault)[]> {
  const json = await readJson(path);
  const { type, features } = json as { type?: unknown; features?: unknown };
  if (type !== 'Feature' && !(type === 'FeatureCollection' && Array.isArray(features)))
    throw bad(
      path,
      `it is a ${typeof type === 'string' ? type : 'document without a type'}`,
      'an item or a collection of items; give the JSON files of its items',
    );
  const items = type === 'Feature' ? [json] : (features as unknown[]);
  if (items.length === 0) throw bad(path, 'it is a collection of 0 items', 'one item or more');
  return items.flatMap((one, i): (StacAsset | StacFault)[] => {
    try {
      return assetsOf(path, itemOf(path, one, i), endings, options);
    } catch (fault) {
      if (!(fault instanceof BadRasterError || fault instanceof TimeError)) throw fault;
      const { id } = Object(one) as { id?: unknown };
      return [{ item: typeof id === 'string' ? id.slice(0, MOST_NAME) : String(i), fault }];
    }
  });
}

function itemOf(path: string, one: unknown, i: number): Item {
  const { success, data, error } = Item.safeParse(one);
  if (success) return data;
  const [{ path: where, message }] = error.issues;
  throw bad(path, `item ${i}: ${where.join('.')}: ${message}`, 'a STAC item');
}

async function readJson(path: string): Promise<object> {
  const info = await stat(path).catch((cause) => Promise.reject(unreadable(path, cause)));
  if (!info.isFile() || info.size > MOST_BYTES)
    throw bad(path, `it has ${info.size} bytes`, `a file of at most ${MOST_BYTES}`);
  const text = await readFile(path, 'utf8').catch((cause) => Promise.reject(unreadable(path, cause)));
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === 'object') return value;
  } catch (cause) {
    throw bad(path, `it is no JSON: ${(cause as Error).message}`, 'a STAC item');
  }
  throw bad(path, 'it is no JSON object', 'a STAC item');
}

function assetsOf(path: string, item: Item, endings: readonly string[], options: StacOptions): StacAsset[] {
  const time = itemTime(path, item, options);
  const chosen = choose(item, endings, options.bands ?? []);
  if (chosen.length === 0)
    throw bad(
      path,
      `item ${item.id} has the assets [${Object.keys(item.assets).join(', ')}]`,
      `one that is a map (${endings.join(' ')}); choose by key with --bands`,
    );
  return chosen.map(([key, { href }]) => ({
    ...{ time, href: address(path, href), item: item.id, series: item.collection ?? null },
    band: chosen.length > 1 || options.bands?.includes(key) ? key : null,
  }));
}

/** Those whose keys are asked for; else those of role `data`; else all maps that are no pictures to look at. */
function choose(
  { assets }: Item,
  endings: readonly string[],
  bands: readonly string[],
): [string, z.infer<typeof Asset>][] {
  const all = Object.entries(assets);
  const asked = all.filter(([key]) => bands.includes(key));
  if (asked.length > 0) return asked;
  const maps = all.filter(([, { href, type }]) => isMap(href, type, endings));
  const data = maps.filter(([, { roles }]) => roles?.includes('data'));
  if (data.length > 0) return data;
  return maps.filter(
    ([, { roles }]) => !roles?.some((role) => /^(thumbnail|overview|visual|metadata)$/.test(role)),
  );
}

function isMap(href: string, type: string | null | undefined, endings: readonly string[]): boolean {
  if (type && !/tiff|netcdf|hdf5|zarr|png|jpe?g|octet-stream/i.test(type)) return false;
  return endings.includes(extname(href.replace(/[?#].*$/, '').replace(/\/$/, '')).toLowerCase());
}

function address(path: string, href: string): string {
  if (href.includes('\0')) throw bad(path, 'an href with a zero byte', 'a path or an address');
  if (href.length > MOST_LETTERS)
    throw bad(path, `an href of ${href.length} letters`, 'a path or an address');
  if (/^file:\/\//i.test(href)) return fromUrl(path, href);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(href)?.[1];
  if (!scheme) return resolve(dirname(path), href);
  if (!isRemote(href)) throw bad(path, `an href of ${scheme}://`, 'a path, https:// or s3://');
  return href;
}

function fromUrl(path: string, href: string): string {
  try {
    return fileURLToPath(href);
  } catch (cause) {
    throw bad(path, `the href ${href.slice(0, 200)} (${(cause as Error).message})`, 'file:///absolute/path');
  }
}

function itemTime(path: string, { id, properties }: Item, { time, assumeUtc = false }: StacOptions): number {
  const { datetime, start_datetime: start, end_datetime: end } = properties;
  const text = datetime ?? (time === 'start' ? start : time === 'end' ? end : null);
  if (text) return textTime(text, path, assumeUtc);
  throw new TimeError(
    `item ${id} of ${path} ${start || end ? `covers ${start ?? '...'} to ${end ?? '...'}` : 'has no datetime'}`,
    {
      hint:
        start || end
          ? 'say which end is the time of the map with --stac-time start|end'
          : 'write a datetime into its properties',
      fields: { path, item: id, start: start ?? null, end: end ?? null },
    },
  );
}

const bad = (path: string, found: string, expected: string): BadRasterError =>
  new BadRasterError(`cannot read ${path} as STAC: ${found}; ${expected} was expected`, {
    hint: 'check the catalogue, or leave the file out with --on-bad-frame skip',
    fields: { path, found, expected },
  });
