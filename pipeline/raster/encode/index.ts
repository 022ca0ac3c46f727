export { encodeGeoTiff, type GeoTiffImage } from './geotiff.js';
