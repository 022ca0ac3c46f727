/** Looks at every source without decoding it: header, time, series. */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { IngestConfig } from '../../schemas/config/index.js';
import type { FrameSource } from '../../schemas/records/index.js';
import { BadRasterError, ConfigError, isStormreelError, type StormreelError, TimeError } from '../errors.js';
import type { OnProgress } from '../progress.js';
import { headersAhead } from './ahead.js';
import { readHeader } from './format.js';
import { DEFAULT_LIMITS, type DecodeLimits } from './limits.js';
import { listMaps, type MapFile } from './list.js';
import type { MapHeader } from './map.js';
import { commonName, namePattern, type ReadName, textTime } from './time.js';
import { isZarr, storeIdentity } from './zarr/index.js';

/** One file (or one time of it) that gives some bands of one map. */
export interface ScannedSource {
  file: Omit<FrameSource, 'bands'>;
  header: MapHeader;
  /** The band a `{band}` pattern found in the name. */
  band: string | null;
}

export interface ScannedMap {
  series: string;
  /** ms UTC; position in path order for pictures without times. */
  time: number;
  sources: ScannedSource[];
}

export interface Scan {
  /** In (series, time) order. */
  maps: ScannedMap[];
  /** Files whose header cannot be read; only with `onBadFrame: skip`. */
  rejected: { path: string; tag: string; reason: string }[];
}

export interface ScanOptions {
  limits?: DecodeLimits;
  /** Files that are listed already; `sources` of the config are then not looked at. */
  files?: readonly MapFile[];
  /** Folder names that are classes of labels, not series. */
  classFolders?: readonly string[];
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

type ScanConfig = Pick<
  IngestConfig,
  | 'sources'
  | 'time'
  | 'series'
  | 'assumeUtc'
  | 'duplicates'
  | 'onBadFrame'
  | 'pictures'
  | 'followLinks'
  | 'modelDates'
  | 'timeUnits'
  | 'bands'
  | 'stacTime'
>;

/** ConfigError, TimeError (missing, ambiguous, duplicate), BadRasterError for a header under `onBadFrame: stop`. */
export async function scanSources(config: ScanConfig, options: ScanOptions = {}): Promise<Scan> {
  const { limits = DEFAULT_LIMITS, onProgress, signal } = options;
  const { followLinks, bands, stacTime: time, assumeUtc } = config;
  const stac = { bands, time, assumeUtc };
  const files = options.files ?? (await listMaps(config.sources, { followLinks, stac }));
  const readName = config.time ? namePattern(config.time, config.assumeUtc) : commonName(config.assumeUtc);
  const seriesName = seriesNames();
  const readFileHeader = headersAhead(files, (path) => readHeader(path, limits, config));
  const found: ScannedMap[] = [];
  const rejected: Scan['rejected'] = [];
  const misplaced: StormreelError[] = [];
  for (const [i, file] of files.entries()) {
    signal?.throwIfAborted();
    try {
      const maps = await scanFile(file, i, { readName, seriesName, readFileHeader }, config, options);
      found.push(...(isZarr(file.path) ? await identified(maps, file.path, limits) : maps));
    } catch (error) {
      if (config.onBadFrame === 'stop' || !isStormreelError(error) || !isOneFiles(error, file)) throw error;
      if (MISPLACED.has(error.tag)) misplaced.push(error);
      rejected.push({ path: file.path, tag: error.tag, reason: error.message });
    }
    onProgress?.({ stage: 'scan', done: i + 1, total: files.length, unit: 'files' });
  }
  if (found.length === 0)
    throw new ConfigError(`none of ${files.length} files can be read; first: ${rejected[0].reason}`, {
      hint: 'check the files with gdalinfo',
      fields: { rejected: rejected.slice(0, 10) },
    });
  if (misplaced.length > found.length) throw misplaced[0];
  return { maps: merge(found, config.duplicates), rejected };
}

/** One file without a time is left out under `skip`; most files without one are a setting that is wrong. */
const MISPLACED = new Set<string>(['TimeError', 'GridMismatchError']);

/** What a file itself is to blame for, not the settings. */
const isOneFiles = (error: StormreelError, { fault }: MapFile): boolean =>
  error === fault || error.tag === 'BadRasterError' || MISPLACED.has(error.tag) || 'code' in error.fields;

interface ScanTools {
  readName: ReadName;
  seriesName(text: string): string;
  /** By position in the list of files. */
  readFileHeader(position: number): Promise<MapHeader>;
}

async function scanFile(
  file: MapFile,
  position: number,
  { readName, seriesName, readFileHeader }: ScanTools,
  config: ScanConfig,
  { classFolders = [] }: ScanOptions,
): Promise<ScannedMap[]> {
  if (file.fault) throw file.fault;
  const header = await readFileHeader(position);
  const { path, size, mtimeMs, etag } = file;
  const source = (index: number, band: string | null): ScannedSource => ({
    file: { path, size, mtimeMs, ...(etag !== undefined && { etag }), index },
    header,
    band,
  });
  const folder = seriesFolder(file, classFolders);
  const fallback = seriesName(config.series ?? file.stac?.series ?? folder);
  if (config.pictures) return [{ series: fallback, time: position, sources: [source(0, null)] }];
  if (header.times?.length === 0)
    throw new BadRasterError(`${path} has a time axis without entries`, {
      hint: 'get the file again, or leave it out with --on-bad-frame skip',
      fields: { path },
    });
  const band = file.stac?.band ?? null;
  if (header.times) {
    if (file.stac && header.times.length === 1) sameTime(path, header.times[0], file.stac.time);
    return header.times.map((time, index) => ({ series: fallback, time, sources: [source(index, band)] }));
  }
  if (file.stac) return [{ series: fallback, time: file.stac.time, sources: [source(0, band)] }];
  const reading = config.time ? readName(path) : await untold(path, header, readName, config.assumeUtc);
  const time = reading.time ?? (await innerTime(path, header, config.assumeUtc));
  if (time === null)
    throw new TimeError(`there is no time in ${path}`, {
      hint: 'add it to the --time pattern, to a tag, or to a JSON file beside the map',
      fields: { path },
    });
  const series = config.series || reading.series === null ? fallback : seriesName(reading.series);
  return [{ series, time, sources: [source(0, reading.band)] }];
}

/** A file of many times has its own; one of a single time and the item that names it must agree. */
function sameTime(path: string, inside: number, item: number): void {
  if (inside === item) return;
  throw new TimeError(
    `${path} has two times: ${new Date(item).toISOString()} in its STAC item, ${new Date(inside).toISOString()} inside`,
    { hint: 'correct one of them, or give the files without the items', fields: { path, item, inside } },
  );
}

/** Each time of a store has its own size and time of writing, so that a chunk written anew is noticed. */
async function identified(maps: ScannedMap[], path: string, limits: DecodeLimits): Promise<ScannedMap[]> {
  const identity = await storeIdentity(path, limits, maps.length);
  for (const { sources } of maps)
    for (const source of sources) source.file = { ...source.file, ...(await identity(source.file.index)) };
  return maps;
}

/** Without a pattern: the file's own tag or sidecar first, then the usual forms of names. Both must agree. */
async function untold(path: string, header: MapHeader, readName: ReadName, assumeUtc: boolean) {
  const inner = await innerTime(path, header, assumeUtc).catch((error: StormreelError) => error);
  let named: ReturnType<ReadName> | StormreelError;
  try {
    named = readName(path);
  } catch (error) {
    if (!isStormreelError(error)) throw error;
    named = error;
  }
  if (inner instanceof Error) {
    if (named instanceof Error) throw named;
    return named;
  }
  if (inner === null) {
    if (named instanceof Error) throw named;
    return named;
  }
  if (!(named instanceof Error) && named.time !== inner)
    throw new TimeError(
      `${path} has two times: ${new Date(named.time!).toISOString()} in its name, ${new Date(inner).toISOString()} inside`,
      {
        hint: 'say that the name counts with --time "pattern"',
        fields: { path, name: named.time, inside: inner },
      },
    );
  return { time: inner, series: null, band: null };
}

async function innerTime(path: string, header: MapHeader, assumeUtc: boolean): Promise<number | null> {
  const sidecar = await readSidecar(path.replace(/\.[^.]+$/, '.json'));
  if (sidecar !== null) {
    let text: unknown;
    try {
      text = JSON.parse(sidecar).time;
    } catch {
      text = undefined;
    }
    if (typeof text === 'string') return textTime(text, path, assumeUtc);
  }
  return header.timeText === null ? null : textTime(header.timeText, path, assumeUtc);
}

const MOST_SIDECAR_BYTES = 2 ** 20;

/** Null where there is none. A pipe would be read for ever, a device without end. */
async function readSidecar(path: string): Promise<string | null> {
  const info = await stat(path).catch(() => null);
  if (info === null) return null;
  if (info.isFile() && info.size <= MOST_SIDECAR_BYTES) return readFile(path, 'utf8').catch(() => null);
  throw new BadRasterError(`cannot read ${path}: it is no file of at most ${MOST_SIDECAR_BYTES} bytes`, {
    hint: 'take it away, or leave its map out with --on-bad-frame skip',
    fields: { path, size: info.size },
  });
}

/** The folders of a map that are no classes; where there are none the source, or the folder above it if that is a class. */
function seriesFolder({ path, folders, source }: MapFile, classFolders: readonly string[]): string {
  const own = folders.filter((name) => !classFolders.includes(name));
  if (own.length > 0) return own.join('.');
  if (!classFolders.includes(source)) return source;
  return basename(resolve(dirname(path), ...folders.map(() => '..'), '..'));
}

/** Names that are file names everywhere: other characters become `_`. ConfigError: two texts that become one name. */
function seriesNames(): (text: string) => string {
  const texts = new Map<string, string>();
  return (text) => {
    const name = text.replace(/[^\w.-]+/g, '_').replace(/^\.+/, '_');
    const before = texts.get(name) ?? text;
    texts.set(name, text);
    if (before === text) return name;
    throw new ConfigError(`"${before}" and "${text}" both become the series name "${name}"`, {
      hint: 'rename one folder with letters a-z, digits, _ . - only, or ingest them one by one with --series NAME',
      fields: { found: [before, text], name },
    });
  };
}

/** Brings bands of one time together and settles two files for one time. */
function merge(found: ScannedMap[], duplicates: IngestConfig['duplicates']): ScannedMap[] {
  const maps = new Map<string, ScannedMap>();
  for (const map of found) {
    const key = `${map.series}\0${map.time}`;
    const before = maps.get(key);
    const [{ band }] = map.sources;
    if (!before) maps.set(key, map);
    else if (band !== null && before.sources.every((s) => s.band !== band))
      before.sources.push(...map.sources);
    else if (duplicates === 'last') maps.set(key, map);
    else if (duplicates === 'error') throw duplicate(before, map);
  }
  return [...maps.values()].sort((a, b) =>
    a.series < b.series ? -1 : a.series > b.series ? 1 : a.time - b.time,
  );
}

function duplicate(a: ScannedMap, b: ScannedMap): TimeError {
  const paths = [a, b].map(({ sources }) => sources[0].file.path);
  return new TimeError(
    `two maps of series "${a.series}" have the time ${new Date(a.time).toISOString()}: ${paths.join(' and ')}`,
    {
      hint: 'leave one out, or choose in path order with --duplicates first|last',
      fields: { series: a.series, time: a.time, paths },
    },
  );
}
