export { decodeGeoTiff } from './decode.js';
export { type GeoTiffHeader, readGeoTiffHeader } from './header.js';
