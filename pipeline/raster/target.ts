/** The one grid of a dataset: that of its first map, or what the config asks for. */
import type { IngestConfig } from '../../schemas/config/index.js';
import type { Footprint, Grid } from '../../schemas/records/index.js';
import { ConfigError, GridMismatchError } from '../errors.js';
import type { MapHeader } from './map.js';
import { boundsIn, isGeographicCrs, isKnownCrs, sameCrs } from './projection/index.js';
import { footprint } from './tiles.js';

type Wanted = Pick<IngestConfig, 'grid' | 'crs' | 'extent'>;

/**
 * ConfigError: a CRS nobody knows, or an extent that the cells of the first map do not fill; GridMismatchError: a first map
 * without a place. Of a grid in another CRS than the first map's, size and extent must be told.
 */
export function targetGrid(first: MapHeader, { grid, crs, extent }: Wanted): Grid {
  const { width, height, transform } = first;
  if (!crs && !extent) return grid ? stretched(first, grid) : { width, height, transform, crs: first.crs };
  if (crs && !isKnownCrs(crs))
    throw new ConfigError(`the CRS "${crs}" is not known`, {
      hint: 'write EPSG:n (EPSG:4326, EPSG:32633 ...), or a PROJ text such as "+proj=laea +lat_0=50 +lon_0=10"',
      fields: { crs },
    });
  if (!transform || (crs && !isKnownCrs(first.crs)))
    throw new GridMismatchError(
      `the first map has ${transform ? `the CRS ${first.crs}` : 'no georeference'}, so it cannot be brought to ${crs ?? 'an extent'}`,
      {
        hint: 'write its place into the file (gdal_edit -a_srs EPSG:n -a_ullr W N E S), or leave --crs and --extent out',
        fields: { crs: crs ?? null, found: first.crs },
      },
    );
  if (!crs || sameCrs(crs, first.crs)) return inOwnCrs(first, { grid, crs, extent });
  if (!grid || !extent) throw untold(first, crs, { grid, extent });
  return spanning(extent, grid, crs);
}

/** Another number of cells over the same extent. */
function stretched(
  { width, height, transform: t, crs }: MapHeader,
  wanted: NonNullable<Wanted['grid']>,
): Grid {
  return {
    width: wanted.width,
    height: wanted.height,
    transform: t && [t[0], (t[1] * width) / wanted.width, 0, t[3], 0, (t[5] * height) / wanted.height],
    crs,
  };
}

function spanning(
  [west, south, east, north]: Footprint,
  { width, height }: NonNullable<Wanted['grid']>,
  crs: string,
): Grid {
  return {
    width,
    height,
    transform: [west, (east - west) / width, 0, north, 0, (south - north) / height],
    crs,
  };
}

/** Most a count of cells may be off a whole number. */
const WHOLE = 1e-4;

function inOwnCrs(first: MapHeader, { grid, crs, extent }: Wanted): Grid {
  const name = crs ?? first.crs;
  if (!extent) {
    const own = { width: first.width, height: first.height, transform: first.transform, crs: name };
    return grid ? { ...stretched(first, grid), crs: name } : own;
  }
  if (grid) return spanning(extent, grid, name);
  const [dx, dy] = [Math.abs(first.transform![1]), Math.abs(first.transform![5])];
  const [west, south, east, north] = extent;
  const size = { width: (east - west) / dx, height: (north - south) / dy };
  const off = Math.max(...Object.values(size).map((n) => Math.abs(n - Math.round(n))));
  if (off > WHOLE)
    throw new ConfigError(
      `the extent ${extent.join(', ')} holds ${size.width.toFixed(2)} x ${size.height.toFixed(2)} cells of ${dx} x ${dy}`,
      {
        hint: 'give an extent of whole cells, or the number of cells with --grid WxH',
        fields: { extent, ...size },
      },
    );
  return spanning(extent, { width: Math.round(size.width), height: Math.round(size.height) }, name);
}

/** Says what the first map covers in the wanted CRS, so that nobody has to work it out. */
function untold(first: MapHeader, crs: string, { grid, extent }: Wanted): ConfigError {
  const box = boundsIn(footprint(first)!, first.crs, crs);
  const digits = isGeographicCrs(crs) ? 2 : 0;
  const edges = box ? box.map((edge) => Number(edge.toFixed(digits))).join(',') : 'W,S,E,N';
  const missing = [!grid && '--grid WxH', !extent && '--extent'].filter(Boolean).join(' and ');
  return new ConfigError(`a grid in ${crs} needs ${missing}: the maps are in ${first.crs}`, {
    hint: `e.g. --crs ${crs} --grid ${grid ? `${grid.width}x${grid.height}` : `${first.width}x${first.height}`} --extent=${extent?.join(',') ?? edges}${box && !extent ? ' (the first map)' : ''}`,
    fields: { crs, found: first.crs, bounds: box },
  });
}
