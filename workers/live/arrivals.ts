/** Files that have settled -> frames that are new, frames whose source changed, and files that give none, with the reason. */
import { ConfigError, isStormreelError, type StormreelError, TimeError } from '../../pipeline/errors.js';
import { fitMap, type MapFile, type ScannedMap, scanSources } from '../../pipeline/raster/index.js';
import type { IngestConfig } from '../../schemas/config/index.js';
import type { DatasetDescription, PlannedFrame } from '../../schemas/records/index.js';
import type { KnownFrames } from './known.js';

export interface Refused {
  file: MapFile;
  error: StormreelError;
}

export interface Scanned {
  maps: { file: MapFile; map: ScannedMap }[];
  refused: Refused[];
}

/** Headers and times of files; a file that cannot be read stands in nobody's way. */
export async function scanFiles(
  files: readonly MapFile[],
  config: IngestConfig,
  signal?: AbortSignal,
): Promise<Scanned> {
  const found: Scanned = { maps: [], refused: [] };
  for (const file of files)
    try {
      const { maps } = await scanSources({ ...config, onBadFrame: 'stop' }, { files: [file], signal });
      found.maps.push(...maps.map((map) => ({ file, map })));
    } catch (error) {
      if (!isStormreelError(error)) throw error;
      found.refused.push({ file, error });
    }
  return found;
}

/** Maps whose bands come in files of their own, kept until all are there. */
export type Parts = Map<string, { files: MapFile[]; map: ScannedMap }>;

export interface Sorted {
  /** By series. */
  fresh: Map<string, PlannedFrame[]>;
  changed: Map<string, PlannedFrame[]>;
  refused: Refused[];
  /** Files whose map waits for other bands. */
  waiting: MapFile[];
}

/** What the maps are for a dataset that is there. */
export function sortMaps(
  { maps, refused }: Scanned,
  description: DatasetDescription,
  config: IngestConfig,
  known: KnownFrames,
  parts: Parts,
): Sorted {
  const sorted: Sorted = { fresh: new Map(), changed: new Map(), refused: [...refused], waiting: [] };
  const taken = new Map<string, string>();
  for (const { file, map: own } of maps) {
    const map = withParts(own, file, parts);
    try {
      const { frame, series } = fitMap(map, description, config);
      for (const name of series) place(sorted, { name, frame, file, map }, { known, taken, config });
      parts.delete(partKey(map));
    } catch (error) {
      if (!isStormreelError(error)) throw error;
      const isPart = map.sources.some(({ band }) => band !== null) && error.tag === 'BandMismatchError';
      if (isPart && map.sources.length < description.bands.length) sorted.waiting.push(file);
      else sorted.refused.push({ file, error });
    }
  }
  return sorted;
}

interface Placed {
  name: string;
  frame: PlannedFrame;
  file: MapFile;
  map: ScannedMap;
}

function place(
  sorted: Sorted,
  { name, frame, file }: Placed,
  { known, taken, config }: { known: KnownFrames; taken: Map<string, string>; config: IngestConfig },
): void {
  const before = known.find(name, frame.time);
  const key = `${name}\0${frame.time}`;
  const path = before?.path ?? taken.get(key);
  const other = path !== undefined && !frame.sources.some((source) => source.path === path);
  if (other && config.duplicates === 'first') return;
  if (other && config.duplicates === 'error') {
    sorted.refused.push({ file, error: duplicate(name, frame.time, path, file.path) });
    return;
  }
  if (path !== undefined && !before) {
    // Two files of one round under `last`: the later path counts.
    const frames = sorted.fresh.get(name) ?? [];
    frames.splice(
      frames.findIndex(({ time }) => time === frame.time),
      1,
    );
  }
  taken.set(key, file.path);
  const list = before ? sorted.changed : sorted.fresh;
  const frames = list.get(name) ?? [];
  list.set(name, frames);
  frames.push(frame);
}

const partKey = ({ series, time }: ScannedMap): string => `${series}\0${time}`;

/** The map with the bands of files that came before it. */
function withParts(map: ScannedMap, file: MapFile, parts: Parts): ScannedMap {
  const [{ band }] = map.sources;
  if (band === null) return map;
  const before = parts.get(partKey(map));
  const others = before?.map.sources.filter((source) => source.band !== band) ?? [];
  const whole = { ...map, sources: [...others, ...map.sources] };
  parts.set(partKey(map), { files: [...(before?.files ?? []), file], map: whole });
  return whole;
}

const duplicate = (series: string, time: number, first: string, second: string): TimeError =>
  new TimeError(
    `two maps of series "${series}" have the time ${new Date(time).toISOString()}: ${first} and ${second}`,
    {
      hint: 'the first stays; choose with --duplicates first|last',
      fields: { series, time, paths: [first, second] },
    },
  );

/** Maps without times cannot come late or be missed. */
export function refusePictures(config: IngestConfig, description: DatasetDescription | null): void {
  if (!config.pictures && description?.time !== 'none') return;
  throw new ConfigError('pictures without times cannot be watched: nothing says which comes after which', {
    hint: 'ingest and label them: stormreel ingest SOURCE --pictures --out DATASET; stormreel label DATASET ...',
    fields: { pictures: true },
  });
}

/** A series that the dataset does not have, in all maps of a record that is still empty, is a setting that is wrong. */
export function refuseWrongSettings(
  refused: readonly Refused[],
  settled: readonly MapFile[],
  labels: number,
): void {
  if (labels > 0 || refused.length === 0 || refused.length < settled.length) return;
  const [{ error }] = refused;
  if (error.tag === 'ConfigError' && error.fields.code === undefined) throw error;
}
