/** What is fitted on training frames to make channels: plain JSON, hashed, stored with the run. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { ChannelsConfig } from '../../schemas/config/index.js';

/** Little-endian float32 values in base64: exact, and a third of the size of decimal digits. */
const Floats = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/);

const PerBand = z.array(z.number());

export const ChannelStatistics = z.strictObject({
  version: z.literal(1),
  config: ChannelsConfig,
  width: z.int().min(1),
  height: z.int().min(1),
  bands: z.array(z.string()).min(1),
  /** Mean of each band over all valid cells and frames; subtracted for `anomaly: none`. */
  mean: PerBand,
  /** Standard deviation of each band over all valid cells and frames: of value minus frame mean for `frame`, else of the value. */
  sd: PerBand,
  /** Null unless config.laplacian. */
  laplacianSd: PerBand.nullable(),
  /** Null unless config.gradient. */
  gradientSd: PerBand.nullable(),
  /** Null unless config.anomaly is `seasonal`. */
  seasonal: z
    .strictObject({
      /** Harmonics really fitted; 0 where the frames cover less than a year. */
      harmonics: z.int().min(0),
      /** `[row, column, band, 1 + 2 harmonics]`: mean, then cos and sin of each harmonic. */
      coefficients: Floats,
      /** `[row, column, band]`: 1 / sd of the residual; 0 where the cell was constant or never seen. */
      inverseSd: Floats,
    })
    .nullable(),
  /** What it was fitted on. */
  fitted: z.strictObject({
    frames: z.int().min(1),
    /** sha256 over dataset hash and the fitted frames' series and times. */
    hash: z.string(),
    from: z.number(),
    to: z.number(),
  }),
  notes: z.array(z.string()),
  /** sha256 over all of the above. */
  hash: z.string(),
});
export type ChannelStatistics = z.infer<typeof ChannelStatistics>;

/** Adds the hash. */
export function sealStatistics(open: Omit<ChannelStatistics, 'hash'>): ChannelStatistics {
  return { ...open, hash: createHash('sha256').update(JSON.stringify(open)).digest('hex') };
}

/** Values per cell and band of the seasonal fit: the mean and two for each harmonic. */
export const seasonalTerms = (harmonics: number): number => 1 + 2 * harmonics;

export function encodeFloats(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

export function decodeFloats(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
