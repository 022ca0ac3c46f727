// asc: --enable simd
// Stored numbers -> f32, bit masks -> bytes. Pointers are bytes; memory is laid out by the caller.
export { clearInvalid, spreadMask } from './unpack/masks';
export { copyBytes, fillBytes } from './unpack/moves';
export { unpackF32, unpackI16, unpackU8, unpackU16 } from './unpack/plain';
export { scaleF32, scaleI16, scaleU8, scaleU16 } from './unpack/scaled';
