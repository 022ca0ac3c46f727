/** Coordinate reference systems: their names, their places on Earth, and maps brought from one to another. */
export { isGeographicCrs, isKnownCrs, sameCrs } from './definition.js';
export { type GeoKeys, geoKeysCrs } from './geokeys.js';
export { boundsIn } from './transform.js';
export { type Warper, warp, warper } from './warp.js';
