/** A scan -> the dataset's one grid, its bands and the frames of every series. */
import type { IngestConfig } from '../../schemas/config/index.js';
import { spanMs } from '../../schemas/config/index.js';
import type {
  Band,
  DatasetDescription,
  Dtype,
  FrameSource,
  Grid,
  PlannedFrame,
  Series,
} from '../../schemas/records/index.js';
import { ConfigError, GridMismatchError, isStormreelError } from '../errors.js';
import { type BandPlace, bandNames, placeBands } from './bands.js';
import { DEFAULT_LIMITS } from './limits.js';
import type { MapHeader } from './map.js';
import { isKnownCrs, sameCrs } from './projection/index.js';
import { isTurned, sameGrid } from './resample.js';
import type { Scan, ScannedMap } from './scan.js';
import { targetGrid } from './target.js';
import { footprint, tileSeries } from './tiles.js';

export interface Described {
  description: DatasetDescription;
  /** Frames of each series in time order. */
  frames: Map<string, PlannedFrame[]>;
  /** Maps of another grid or other bands; only with `onBadFrame: skip`. */
  rejected: Scan['rejected'];
}

type DescribeConfig = Pick<
  IngestConfig,
  | 'bands'
  | 'grid'
  | 'crs'
  | 'extent'
  | 'resampling'
  | 'tiles'
  | 'step'
  | 'pictures'
  | 'onBadFrame'
  | 'compression'
>;

const NATIVE = new Set<string>(['u8', 'i16', 'u16', 'f32']);

/**
 * BandMismatchError and GridMismatchError name the first file that does not fit the first map. `stepMs`: the nominal
 * step of a dataset that is there already; late maps do not change it.
 */
export function describeDataset(
  { maps }: Pick<Scan, 'maps'>,
  config: DescribeConfig,
  { stepMs = null }: { stepMs?: number | null } = {},
): Described {
  const [first] = maps;
  const [{ header }] = first.sources;
  const sourceGrid = targetGrid(header, config);
  const names = config.bands ?? bandNames(first);
  const { fitting, rejected } = sieve(maps, names, header, sourceGrid, config);
  const same = fitting.every(({ map }) => map.sources.every((s) => sameGrid(s.header, sourceGrid)));
  const { bands, dtype } = storedAs(
    fitting.map(({ places }) => places),
    names,
    same,
  );
  if (config.grid || config.extent) refuseHuge(sourceGrid, bands.length);
  const bySeries = new Map<string, PlannedFrame[]>();
  for (const { map, places } of fitting) {
    const frames = bySeries.get(map.series) ?? [];
    bySeries.set(map.series, frames);
    frames.push({ time: map.time, sources: frameSources(places) });
  }
  const { series, frames } = cut(bySeries, sourceGrid, config);
  const { tiles } = config;
  const grid: Grid = tiles
    ? { width: tiles.size, height: tiles.size, transform: null, crs: sourceGrid.crs }
    : sourceGrid;
  const description: DatasetDescription = {
    formatVersion: 1,
    encoderVersion: 1,
    ...{ grid, sourceGrid, bands, dtype },
    ...(config.compression === 'lz4' && { compression: config.compression }),
    resampling: config.resampling,
    stepMs: config.pictures ? null : config.step ? spanMs(config.step) : (stepMs ?? medianStep(bySeries)),
    time: config.pictures ? 'none' : 'utc',
    series,
  };
  return { description, frames, rejected };
}

/** The maps that fit the first one. Under `skip` the others are set aside, unless they are the greater part. */
function sieve(
  maps: readonly ScannedMap[],
  names: readonly string[],
  header: MapHeader,
  grid: Grid,
  config: DescribeConfig,
) {
  const fitting: { map: ScannedMap; places: BandPlace[] }[] = [];
  const rejected: Scan['rejected'] = [];
  let firstFault: unknown;
  for (const map of maps)
    try {
      const places = placeBands(map, names);
      checkGrid(map, header, grid, config);
      fitting.push({ map, places });
    } catch (error) {
      if (config.onBadFrame === 'stop' || !isStormreelError(error)) throw error;
      firstFault ??= error;
      rejected.push({ path: map.sources[0].file.path, tag: error.tag, reason: error.message });
    }
  if (rejected.length > fitting.length) throw firstFault;
  return { fitting, rejected };
}

/** Maps have their own limits, checked by their headers; a grid that somebody asks for has the same. */
function refuseHuge({ width, height }: Grid, bands: number): void {
  const { cells, decodedBytes } = DEFAULT_LIMITS;
  const bytes = width * height * bands * Float32Array.BYTES_PER_ELEMENT;
  if (width * height <= cells && bytes <= decodedBytes) return;
  throw new ConfigError(`a grid of ${width} x ${height} cells with ${bands} bands is too big for one frame`, {
    hint: 'give a smaller --grid, or cut the maps with --tiles',
    fields: { width, height, bands },
  });
}

/** GridMismatchError: a map that cannot be brought to `grid`; without `config.grid` it must be that of `first`. */
export function checkGrid(
  map: ScannedMap,
  first: Pick<MapHeader, 'width' | 'height' | 'transform' | 'crs'>,
  grid: Grid,
  config: Pick<DescribeConfig, 'grid' | 'crs' | 'extent'>,
): void {
  for (const { header, file } of map.sources) {
    if ((header.transform === null) !== (grid.transform === null))
      throw mismatch(
        file.path,
        header.transform ? 'a georeference' : 'no georeference',
        grid.transform ? 'one' : 'none',
      );
    if (!sameCrs(header.crs, grid.crs)) {
      if (config.crs && isKnownCrs(header.crs)) continue;
      throw otherCrs(file.path, header.crs, grid.crs);
    }
    if (header.transform && (header.transform[2] !== 0 || header.transform[4] !== 0))
      throw mismatch(file.path, 'a rotated grid', 'rows along the x axis');
    if (config.grid || config.extent || sameGrid(header, first) || isTurned(header, first)) continue;
    throw mismatch(
      file.path,
      `${header.width} x ${header.height} cells ${place(header)}`,
      `${first.width} x ${first.height} ${place(first)}`,
    );
  }
}

const place = ({ transform }: Pick<MapHeader, 'transform'>): string =>
  transform
    ? `of ${transform[1]} x ${transform[5]} from (${transform[0]}, ${transform[3]})`
    : 'without a place';

function mismatch(path: string, found: string, expected: string): GridMismatchError {
  return new GridMismatchError(`cannot add ${path}: it has ${found}; ${expected} was expected`, {
    hint: 'bring the maps to one grid with --grid WxH (same CRS), reproject with gdalwarp, or leave the file out with --on-bad-frame skip',
    fields: { path, found, expected },
  });
}

function otherCrs(path: string, found: string, expected: string): GridMismatchError {
  const hint = isKnownCrs(found)
    ? `bring all maps to one CRS with --crs (e.g. --crs EPSG:4326), --grid WxH and --extent=W,S,E,N, or leave the file out with --on-bad-frame skip`
    : 'write its CRS into the file (gdal_edit -a_srs EPSG:n), or leave it out with --on-bad-frame skip';
  return new GridMismatchError(`cannot add ${path}: it has the CRS ${found}; ${expected} was expected`, {
    hint,
    fields: { path, found: `the CRS ${found}`, expected },
  });
}

/** Source values as they are where every file has the same grid, type and scale; else 32-bit floats in physical units. */
function storedAs(
  placed: readonly BandPlace[][],
  names: readonly string[],
  sameGrids: boolean,
): { bands: Band[]; dtype: Dtype } {
  const [reference] = placed;
  const { dtype } = reference[0].band;
  const native =
    sameGrids &&
    NATIVE.has(dtype) &&
    placed.every((bands) =>
      bands.every(({ band }, i) => {
        const { scale, offset } = reference[i].band;
        return band.dtype === dtype && band.scale === scale && band.offset === offset;
      }),
    );
  const bands = reference.map(({ band }, i): Band => {
    const { unit, scale, offset } = band;
    return { name: names[i], unit, scale: native ? scale : 1, offset: native ? offset : 0 };
  });
  return { bands, dtype: native ? (dtype as Dtype) : 'f32' };
}

export function frameSources(places: readonly BandPlace[]): FrameSource[] {
  const sources = new Map<BandPlace['source'], FrameSource>();
  places.forEach(({ source, band }, to) => {
    const entry = sources.get(source) ?? { ...source.file, bands: [] };
    sources.set(source, entry);
    entry.bands.push({ from: band.selector, to });
  });
  return [...sources.values()];
}

function cut(bySeries: Map<string, PlannedFrame[]>, grid: Grid, { tiles }: DescribeConfig) {
  const series: Series[] = [];
  const frames = new Map<string, PlannedFrame[]>();
  for (const [name, planned] of bySeries) {
    const own = tiles
      ? tileSeries(grid, tiles, name, bySeries.size === 1)
      : [{ name, transform: null, footprint: footprint(grid), tile: null }];
    for (const one of own) {
      series.push(one);
      frames.set(one.name, planned);
    }
  }
  return { series, frames };
}

/** The median step of all series, ms. ConfigError when no series has two frames. */
function medianStep(bySeries: Map<string, PlannedFrame[]>): number {
  const all = [...bySeries.values()].flatMap((frames) =>
    frames.slice(1).map((f, i) => f.time - frames[i].time),
  );
  if (all.length > 0) return all.sort((a, b) => a - b)[all.length >> 1];
  throw new ConfigError('no series has two maps, so the step between them is unknown', {
    hint: 'say it with --step 6h, or ingest pictures without times with --pictures',
  });
}
