// asc: --enable simd --enable threads --sharedMemory --initialMemory 1 --maximumMemory 65536
// The functions of unpack.ts on a memory that threads share.
export { clearInvalid, spreadMask } from './unpack/masks';
export { copyBytes, fillBytes } from './unpack/moves';
export { unpackF32, unpackI16, unpackU8, unpackU16 } from './unpack/plain';
export { scaleF32, scaleI16, scaleU8, scaleU16 } from './unpack/scaled';
