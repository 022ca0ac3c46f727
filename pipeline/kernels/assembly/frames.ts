// asc: --enable simd
// Frames on the dataset's grid: the weighted mean of four cells, statistics. Pointers are bytes; memory is laid out by
// the caller.
export { fourF32, fourI16, fourU8, fourU16 } from './frames/four';
export { statisticsF32, statisticsI16, statisticsU8, statisticsU16 } from './frames/statistics';
