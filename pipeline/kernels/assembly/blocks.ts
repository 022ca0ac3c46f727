// asc: --enable simd
// Blocks of GeoTIFF files: LZW, LERC, predictors, bands apart. Pointers are bytes; memory is laid out by the caller.
export { lerc } from './blocks/lerc';
export { lzw } from './blocks/lzw';
export { accumulate, mergePlanes } from './blocks/predictors';
export { pickSample } from './blocks/samples';
