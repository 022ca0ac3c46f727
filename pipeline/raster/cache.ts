/** Decoded maps and file hashes of the last used sources, within a budget. */
import type { DecodedFrame } from './decode.js';

export interface MapCache {
  /** The map under `key`, decoded once even when several ask at the same time. */
  map(key: string, decode: () => Promise<DecodedFrame>): Promise<DecodedFrame>;
  hash(key: string, work: () => Promise<string>): Promise<string>;
}

/** Keeps at most `maxBytes` of decoded maps (at least the last one). */
export function mapCache(maxBytes: number): MapCache {
  const maps = new Map<string, { frame: Promise<DecodedFrame>; bytes: number }>();
  const hashes = new Map<string, Promise<string>>();
  let held = 0;

  async function load(key: string, decode: () => Promise<DecodedFrame>): Promise<DecodedFrame> {
    const entry = { frame: decode(), bytes: 0 };
    maps.set(key, entry);
    try {
      const frame = await entry.frame;
      entry.bytes = frame.values.byteLength + frame.valid.byteLength;
      held += entry.bytes;
      for (const [old, { bytes }] of maps) {
        if (held <= maxBytes) break;
        if (old === key || bytes === 0) continue;
        maps.delete(old);
        held -= bytes;
      }
      return frame;
    } catch (error) {
      maps.delete(key);
      throw error;
    }
  }

  return {
    map(key, decode) {
      const hit = maps.get(key);
      if (!hit) return load(key, decode);
      maps.delete(key);
      maps.set(key, hit);
      return hit.frame;
    },
    hash(key, work) {
      const known = hashes.get(key) ?? work();
      hashes.set(key, known);
      known.catch(() => hashes.delete(key));
      return known;
    },
  };
}
