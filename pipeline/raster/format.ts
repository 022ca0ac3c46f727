/** One door to every format: header of a file, and its bands at one time. */
import { extname } from 'node:path';
import { BadRasterError } from '../errors.js';
import { isRemote } from '../remote/index.js';
import { type ByteSource, memorySource, withFile } from './bytes.js';
import type { MapCache } from './cache.js';
import type { FieldOptions } from './cf/index.js';
import { decodeGeoTiff, readGeoTiffHeader } from './geotiff/index.js';
import type { DecodeLimits } from './limits.js';
import type { DecodedMap, MapHeader } from './map.js';
import { decodeNetCdf, readNetCdfHeader } from './netcdf/index.js';
import { decodeNpy, readNpyHeader } from './npy/index.js';
import { checkPacking } from './packing.js';
import { checkPicture, decodePicture, readPictureHeader } from './picture.js';
import { withRemote } from './remoteBytes.js';
import { decodeZarr, readZarrHeader } from './zarr/index.js';

type Format = 'geotiff' | 'netcdf' | 'npy' | 'picture' | 'zarr';

const FORMATS: Record<string, Format> = {
  '.tif': 'geotiff',
  '.tiff': 'geotiff',
  '.nc': 'netcdf',
  '.nc4': 'netcdf',
  '.zarr': 'zarr',
  '.npy': 'npy',
  '.png': 'picture',
  '.jpg': 'picture',
  '.jpeg': 'picture',
};

/** Endings of files that are taken for maps. */
export const MAP_ENDINGS = Object.keys(FORMATS);

function formatOf(path: string): Format {
  const format = FORMATS[extname(path).toLowerCase()];
  if (format) return format;
  throw new BadRasterError(`${path} has no ending of a map`, {
    hint: `maps end in ${MAP_ENDINGS.join(' ')}; convert others with gdal_translate`,
    fields: { path },
  });
}

export interface HeaderOptions extends FieldOptions {
  /** Times without a zone are UTC. */
  assumeUtc?: boolean;
}

/** Size, grid, bands and times of a file; no pixels. BadRasterError, GridMismatchError, TimeError. */
export async function readHeader(
  path: string,
  limits: DecodeLimits,
  options: HeaderOptions = {},
): Promise<MapHeader> {
  return checkPacking(path, await headerOf(path, limits, options));
}

async function headerOf(path: string, limits: DecodeLimits, options: HeaderOptions): Promise<MapHeader> {
  const format = formatOf(path);
  if (isRemote(path)) return withRemote(path, (source) => readGeoTiffHeader(source, limits));
  if (format === 'netcdf') return readNetCdfHeader(path, limits, options);
  if (format === 'zarr') return readZarrHeader(path, limits, options);
  if (format === 'npy') return readNpyHeader(path, limits, options);
  if (format === 'picture')
    return withFile(path, async (source) => {
      await checkPicture(source);
      return readPictureHeader(path, limits);
    });
  return withFile(path, (source) => readGeoTiffHeader(source, limits));
}

/**
 * The wanted bands at position `index` of the file's time axis. `bytes` is the whole file where the caller has it (its
 * sha256 was taken from the same bytes), or the way to its bytes.
 */
export async function decodeMap(...of: Decoding): Promise<{ header: MapHeader; map: DecodedMap }> {
  const decoded = await bandsOf(...of);
  checkPacking(of[0], decoded.header);
  return decoded;
}

type Decoding = [
  path: string,
  bytes: Uint8Array | ByteSource,
  wanted: readonly (number | string)[],
  index: number,
  limits: DecodeLimits,
  cache?: MapCache,
];

async function bandsOf(...[path, bytes, wanted, index, limits, cache]: Decoding) {
  const format = formatOf(path);
  if (format === 'netcdf') return decodeNetCdf(path, wanted.map(String), index, limits);
  if (format === 'zarr') return decodeZarr(path, wanted.map(String), index, limits, cache);
  const numbers = wanted.map(Number);
  if (format === 'npy') return decodeNpy(path, numbers, index, limits);
  const whole = bytes instanceof Uint8Array;
  if (format === 'picture' && whole) return decodePicture(path, bytes, numbers, limits);
  const source = whole ? memorySource(path, bytes) : bytes;
  const header = await readGeoTiffHeader(source, limits);
  return { header, map: await decodeGeoTiff(source, header, numbers) };
}
