/** Raster: maps of any format -> frames on one grid, each with its valid mask. */
export { type MapCache, mapCache } from './cache.js';
export { type DecodedFrame, type DecodeOptions, decodeFrame } from './decode.js';
export { type Described, describeDataset } from './describe.js';
export { encodeGeoTiff, type GeoTiffImage } from './encode/index.js';
export { fitMap } from './fit.js';
export { DEFAULT_LIMITS, type DecodeLimits } from './limits.js';
export { type ListOptions, listMaps, type MapFile } from './list.js';
export type { BandHeader, MapHeader } from './map.js';
export { isGeographicCrs } from './projection/index.js';
export { type ReadAhead, readAhead } from './readAhead.js';
export { isFullCircle } from './resample.js';
export { type Scan, type ScannedMap, type ScanOptions, scanSources } from './scan.js';
