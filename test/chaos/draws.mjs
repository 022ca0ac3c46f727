/** Random numbers that are a pure function of their names: `draw(7, 'slot', 3)` is the same in every process. */
import { createHash } from 'node:crypto';

/** In [0, 1). */
export function draw(...names) {
  const hash = createHash('sha256').update(JSON.stringify(names)).digest();
  return hash.readUInt32BE(0) / 2 ** 32;
}

/** One of `weights` ({ name: weight }), by a number in [0, 1). */
export function pick(weights, at) {
  const entries = Object.entries(weights);
  let left = at * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [name, weight] of entries) {
    left -= weight;
    if (left < 0) return name;
  }
  return entries[entries.length - 1][0];
}
