// asc: --enable simd
// Frames on the dataset's grid: the weighted mean of four cells, statistics. Pointers are bytes; memory is laid out by
// the caller.
export { fourF32, fourF64, fourI16, fourI32, fourU8, fourU16, fourU32 } from './frames/four';
export { statisticsF32, statisticsI16, statisticsU8, statisticsU16 } from './frames/statistics';
