/** Flags of `stormreel ingest` as parts of the config; only what was given, so that defaults and the file stay. */
import { ConfigError } from '../pipeline/errors.js';

export interface IngestFlags {
  labels?: string;
  time?: string;
  series?: string;
  bands?: string;
  grid?: string;
  crs?: string;
  extent?: string;
  resampling?: string;
  tiles?: string;
  step?: string;
  duplicates?: string;
  onBadFrame?: string;
  followLinks?: boolean;
  pictures?: boolean;
  shardFrames?: string;
  compression?: string;
  assumeUtc?: boolean;
  modelDates?: boolean;
  timeUnits?: string;
  stacTime?: string;
  labelColumn?: string;
  labelTimeOffset?: string;
  labelTolerance?: string;
  labelSeriesColumn?: string;
  labelLat?: string;
  labelLon?: string;
  labelFromFolder?: string;
  labelSource?: string;
  labelUnlabelled?: string;
  labelUnmatched?: string;
}

/** The `ingest` part, unchecked. */
export function ingestFlags(flags: IngestFlags): Record<string, unknown> {
  return given({
    time: flags.time,
    series: flags.series,
    bands: flags.bands?.split(',').map((name) => name.trim()),
    grid: flags.grid && grid(flags.grid),
    crs: flags.crs,
    extent: flags.extent && extent(flags.extent),
    resampling: flags.resampling,
    tiles: flags.tiles && tiles(flags.tiles),
    step: flags.step,
    duplicates: flags.duplicates,
    onBadFrame: flags.onBadFrame,
    followLinks: flags.followLinks,
    pictures: flags.pictures,
    shardFrames: flags.shardFrames && Number(flags.shardFrames),
    compression: flags.compression,
    assumeUtc: flags.assumeUtc,
    modelDates: flags.modelDates,
    timeUnits: flags.timeUnits,
    stacTime: flags.stacTime,
  });
}

/** The `labels` part, unchecked. */
export function labelFlags(
  flags: IngestFlags,
): Record<string, unknown> & { file?: string; fromFolder?: object } {
  return given({
    file: flags.labels,
    column: flags.labelColumn,
    timeOffset: flags.labelTimeOffset,
    tolerance: flags.labelTolerance,
    seriesColumn: flags.labelSeriesColumn,
    latColumn: flags.labelLat,
    lonColumn: flags.labelLon,
    fromFolder: flags.labelFromFolder && classes(flags.labelFromFolder),
    source: flags.labelSource,
    unlabelled: flags.labelUnlabelled,
    unmatched: flags.labelUnmatched,
    assumeUtc: flags.assumeUtc,
  });
}

const given = (all: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));

function grid(text: string): { width: number; height: number } {
  const [, width, height] = /^(\d+)x(\d+)$/i.exec(text) ?? [];
  if (!width) throw misfit('--grid', text, '--grid 128x96 (columns x rows)');
  return { width: Number(width), height: Number(height) };
}

function extent(text: string): number[] {
  const edges = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (edges.length === 4 && edges.every(Number.isFinite)) return edges;
  throw misfit(
    '--extent',
    text,
    '--extent=-10,30,40,60 (west, south, east, north; the = lets it start with a minus)',
  );
}

function tiles(text: string): { size: number; stride: number } {
  const [, size, stride = size] = /^(\d+)(?:,(\d+))?$/.exec(text) ?? [];
  if (!size) throw misfit('--tiles', text, '--tiles 32,16 (cells of an edge, cells between starts)');
  return { size: Number(size), stride: Number(stride) };
}

/** `0=calm,1=storm` -> `{ calm: 0, storm: 1 }`. */
function classes(text: string): Record<string, 0 | 1> {
  const found: Record<string, 0 | 1> = {};
  for (const part of text.split(',')) {
    const [, label, folder] = /^\s*([01])=(.+?)\s*$/.exec(part) ?? [];
    if (!folder || folder in found)
      throw misfit('--label-from-folder', text, '--label-from-folder 0=calm,1=storm');
    found[folder] = label === '1' ? 1 : 0;
  }
  return found;
}

const misfit = (flag: string, found: string, example: string): ConfigError =>
  new ConfigError(`cannot read ${flag}: found "${found}"`, {
    hint: `write ${example}`,
    fields: { flag, found },
  });
