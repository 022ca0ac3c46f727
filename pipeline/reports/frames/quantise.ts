/** Fields as bytes: 0 to 254 between two values, 255 where nothing was observed; and their compression. */
import { deflateSync } from 'node:zlib';

export const NOTHING = 255;

export interface Range {
  low: number;
  high: number;
}

/** Range that leaves out the share `tail` at both ends; always of positive width. NaN values are left out. */
export function robustRange(values: Float32Array, { tail = 0.0005, most = 400_000 } = {}): Range {
  const step = Math.max(1, Math.floor(values.length / most));
  const sample: number[] = [];
  for (let i = 0; i < values.length; i += step) if (!Number.isNaN(values[i])) sample.push(values[i]);
  if (sample.length === 0) return { low: 0, high: 1 };
  const sorted = Float32Array.from(sample).sort();
  const low = sorted[Math.floor(tail * (sorted.length - 1))];
  const high = sorted[Math.ceil((1 - tail) * (sorted.length - 1))];
  return high > low ? { low, high } : { low: low - 0.5, high: low + 0.5 };
}

/** Bytes of values; NaN becomes 255. */
export function quantise(values: Float32Array, { low, high }: Range): Uint8Array {
  const scale = 254 / (high - low);
  return Uint8Array.from(values, (v) =>
    Number.isNaN(v) ? NOTHING : Math.min(254, Math.max(0, Math.round((v - low) * scale))),
  );
}

/** Differences to the left neighbour, deflated, base64: what `inflate` of player.js undoes. */
export function packBytes(bytes: Uint8Array, width: number): string {
  const differences = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) differences[i] = bytes[i] - (i % width ? bytes[i - 1] : 0);
  return deflateSync(differences, { level: 6 }).toString('base64');
}
