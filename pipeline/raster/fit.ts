/** One more map for a dataset that is there already: nothing about the dataset changes, so no other map is looked at. */
import type { IngestConfig } from '../../schemas/config/index.js';
import type { DatasetDescription, PlannedFrame, Series } from '../../schemas/records/index.js';
import { BandMismatchError, ConfigError } from '../errors.js';
import { type BandPlace, placeBands } from './bands.js';
import { checkGrid, frameSources } from './describe.js';
import { sameGrid } from './resample.js';
import type { ScannedMap } from './scan.js';

/**
 * The frame that a map gives, and the series (all tiles of the map) it belongs to. BandMismatchError, GridMismatchError,
 * or ConfigError for a series that the dataset does not have. `config.grid`: the dataset's maps are resampled.
 */
export function fitMap(
  map: ScannedMap,
  description: DatasetDescription,
  config: Pick<IngestConfig, 'grid' | 'crs' | 'extent'> = {},
): { frame: PlannedFrame; series: string[] } {
  const { sourceGrid, bands } = description;
  const places = placeBands(
    map,
    bands.map(({ name }) => name),
  );
  checkGrid(map, sourceGrid, sourceGrid, config);
  refuseOtherStorage(map, places, description);
  const series = seriesOf(map, description.series);
  return {
    frame: { time: map.time, sources: frameSources(places) },
    series: series.map(({ name }) => name),
  };
}

/** Values that are stored as the files hold them cannot take those of another type, scale or grid. */
function refuseOtherStorage(
  map: ScannedMap,
  places: readonly BandPlace[],
  { dtype, bands, sourceGrid }: DatasetDescription,
): void {
  if (dtype === 'f32' && bands.every(({ scale, offset }) => scale === 1 && offset === 0)) return;
  const same = places.every(({ band, source }, i) => {
    const { scale, offset } = bands[i];
    const sameValues = band.dtype === dtype && band.scale === scale && band.offset === offset;
    return sameValues && sameGrid(source.header, sourceGrid);
  });
  if (same) return;
  const [{ file }] = map.sources;
  const found = places.map(({ band }) => `${band.dtype} x ${band.scale} + ${band.offset}`);
  const expected = bands.map(({ scale, offset }) => `${dtype} x ${scale} + ${offset}`);
  throw new BandMismatchError(
    `cannot add ${file.path}: it holds ${found.join(', ')}; the dataset stores ${expected.join(', ')}`,
    {
      hint: 'write the map in the form of the others, or ingest all maps again into a new folder',
      fields: { path: file.path, found, expected },
    },
  );
}

/**
 * Tiles are named `SERIES.TILE`, or `TILE` alone where the dataset has one source series, whose name is then not kept. A
 * series may have dots in its name, being a folder in a folder; a tile has none.
 */
function seriesOf(map: ScannedMap, known: readonly Series[]): Series[] {
  const tiles = known.filter(({ tile }) => tile !== null);
  const found = tiles.length
    ? tiles.filter(({ name }) => !name.includes('.') || name.slice(0, name.lastIndexOf('.')) === map.series)
    : known.filter(({ name }) => name === map.series);
  if (found.length > 0) return found;
  const expected = known.slice(0, 5).map(({ name }) => name);
  throw new ConfigError(
    `cannot add ${map.sources[0].file.path}: the dataset has the series [${expected.join(', ')}] and no "${map.series}"`,
    {
      hint:
        known.length === 1
          ? `if these maps belong to that series: --series ${expected[0]}`
          : 'put it into the folder of the same name as before',
      fields: { path: map.sources[0].file.path, found: map.series, expected },
    },
  );
}
