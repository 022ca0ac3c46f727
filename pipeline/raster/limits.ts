/** Bounds that hold before anything is decoded, so that a hostile header costs nothing. */
export interface DecodeLimits {
  /** Most cells of one map. Default 2^27 (about 11,500 x 11,500). */
  cells: number;
  /** Most bytes of one decoded map. Default 1 GiB. */
  decodedBytes: number;
  /** Largest source file that is read. Default 2 GiB - 1. */
  fileBytes: number;
  /** Most bands in one file. Default 256. */
  bands: number;
}

export const DEFAULT_LIMITS: DecodeLimits = {
  cells: 2 ** 27,
  decodedBytes: 2 ** 30,
  fileBytes: 2 ** 31 - 1,
  bands: 256,
};
