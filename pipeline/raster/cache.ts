/** Decoded maps and file hashes of the last used sources, within a budget. */
import type { DecodedFrame } from './decode.js';

export interface MapCache {
  /** The map under `key`, decoded once even when several ask at the same time. */
  map(key: string, decode: () => Promise<DecodedFrame>): Promise<DecodedFrame>;
  /** The same for a decoded chunk of a store that holds parts of many maps. */
  chunk<T extends { data: ArrayLike<number | bigint> }>(key: string, decode: () => Promise<T>): Promise<T>;
  hash(key: string, work: () => Promise<string>): Promise<string>;
}

/** Keeps at most `maxBytes` of decoded maps (at least the last one). */
export function mapCache(maxBytes: number): MapCache {
  const maps = new Map<string, { value: Promise<unknown>; bytes: number }>();
  const hashes = new Map<string, Promise<string>>();
  let held = 0;

  async function load<T>(key: string, decode: () => Promise<T>, bytesOf: (value: T) => number): Promise<T> {
    const entry = { value: decode(), bytes: 0 };
    maps.set(key, entry);
    try {
      const value = await entry.value;
      entry.bytes = bytesOf(value);
      held += entry.bytes;
      for (const [old, { bytes }] of maps) {
        if (held <= maxBytes) break;
        if (old === key || bytes === 0) continue;
        maps.delete(old);
        held -= bytes;
      }
      return value;
    } catch (error) {
      maps.delete(key);
      throw error;
    }
  }

  function once<T>(key: string, decode: () => Promise<T>, bytesOf: (value: T) => number): Promise<T> {
    const hit = maps.get(key);
    if (!hit) return load(key, decode, bytesOf);
    maps.delete(key);
    maps.set(key, hit);
    return hit.value as Promise<T>;
  }

  return {
    map: (key, decode) => once(key, decode, ({ values, valid }) => values.byteLength + valid.byteLength),
    chunk: (key, decode) =>
      once(
        `chunk ${key}`,
        decode,
        ({ data }) => (data as unknown as { byteLength?: number }).byteLength ?? data.length * 8,
      ),
    hash(key, work) {
      const known = hashes.get(key) ?? work();
      hashes.set(key, known);
      known.catch(() => hashes.delete(key));
      return known;
    },
  };
}
