/** Where the model looked, as bytes: each frame relative to its own maximum, cut to a few of its cells where big. */
import type { ReportData } from '../data.js';
import { byImportance } from './choose.js';

export const ATTENTION_BUDGET = 3_000_000;

export interface AttentionPack {
  width: number;
  height: number;
  /** Frame indices, ascending. */
  keys: number[];
  /** `[key, height, width]`, 0 to 254 of the frame's maximum. */
  bytes: Uint8Array;
}

export function packAttention(data: ReportData, budget = ATTENTION_BUDGET): AttentionPack | null {
  const { attention, index } = data;
  if (!attention || !index) return null;
  const { width, height } = attention;
  const most = Math.floor(budget / (width * height));
  const keys: number[] = [];
  const maps: Uint8Array[] = [];
  for (const f of byImportance(data).slice(0, most)) {
    const map = attention.map(f);
    const bytes = map && relative(map);
    if (bytes) {
      keys.push(f);
      maps.push(bytes);
    }
  }
  if (keys.length === 0) return null;
  const order = keys.map((_, i) => i).sort((a, b) => keys[a] - keys[b]);
  const bytes = new Uint8Array(keys.length * width * height);
  for (const [at, i] of order.entries()) bytes.set(maps[i], at * width * height);
  return { width, height, keys: order.map((i) => keys[i]), bytes };
}

/** Null for a map without a positive value. */
function relative(map: Float32Array): Uint8Array | null {
  let most = 0;
  for (const v of map) if (v > most) most = v;
  if (!(most > 0)) return null;
  return Uint8Array.from(map, (v) => (v > 0 ? Math.round((254 * v) / most) : 0));
}
