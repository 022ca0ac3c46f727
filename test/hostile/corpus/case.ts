/** What the corpus consists of: classes of bad files that share healthy neighbours. Everything is made on the fly from a seed. */
import { Random } from '../../../pipeline/random.js';

export interface HostileCase {
  name: string;
  /** The bytes of the file, or what puts something else in its place. */
  content: Uint8Array | string | ((path: string) => void | Promise<void>);
  /** It may turn out readable (a flip in a pixel); others must be refused. */
  maybe?: boolean;
}

export interface HostileClass {
  name: string;
  ending: string;
  /** Healthy map `i`; those without a time inside may all be the same. */
  healthy(i: number): HostileCase['content'] | Promise<Uint8Array>;
  /** Their time stands inside, so that each bad one needs a folder of its own: a series. */
  innerTimes?: boolean;
  /** Each file is a source of its own, not the folder. */
  named?: boolean;
  cases: HostileCase[];
  flags?: string[];
}

export const SEED = 20_051_214;

/** `count` copies of `bytes`, each with one to three bits turned in `[from, to)`. */
export function flips(
  label: string,
  bytes: Uint8Array,
  { count, from = 0, to = bytes.length }: { count: number; from?: number; to?: number },
): HostileCase[] {
  return Random.from(SEED)
    .key(label)
    .split(count)
    .map((random, i) => {
      const content = Uint8Array.from(bytes);
      for (let n = 0; n <= i % 3; n++) {
        const at = from + Math.floor(random.uniform() * (to - from));
        content[at] ^= 1 << Math.floor(random.uniform() * 8);
      }
      return { name: `${label} flip ${i}`, content, maybe: true };
    });
}

/** The first `at` bytes for each place. */
export const truncations = (label: string, bytes: Uint8Array, places: readonly number[]): HostileCase[] =>
  [...new Set(places.map((at) => Math.floor(at)))]
    .filter((at) => at >= 0 && at < bytes.length)
    .sort((a, b) => a - b)
    .map((at) => ({ name: `${label} cut at ${at}`, content: bytes.subarray(0, at) }));

/** `n` places spread evenly over `[0, length)`. */
export const spread = (length: number, n: number): number[] =>
  Array.from({ length: n }, (_, i) => (i * length) / n);
