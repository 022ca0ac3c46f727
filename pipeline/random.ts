/**
 * Seeded random numbers that can be split by name, so that one part's draws never shift another's.
 * Generator: xoshiro128** 1.1 (Blackman and Vigna, 2018), state filled by splitmix32 from a hash of (seed, path).
 *
 *   const random = Random.from(7).key('dropout').key(step)
 */
export class Random {
  readonly #seed: number;
  readonly #path: string;
  readonly #state: Uint32Array;
  #spare: number | undefined;

  private constructor(seed: number, path: string) {
    this.#seed = seed;
    this.#path = path;
    let x = hash32(path, seed >>> 0) ^ Math.floor(seed / 2 ** 32);
    this.#state = Uint32Array.from({ length: 4 }, () => {
      x = (x + 0x9e3779b9) | 0;
      let z = x;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      return (z ^ (z >>> 16)) >>> 0;
    });
  }

  /** `seed`: an integer, 0 to 2^53 - 1. */
  static from(seed: number): Random {
    return new Random(seed, '');
  }

  /** An independent stream named by `name`; does not touch this one. */
  key(name: string | number): Random {
    return new Random(this.#seed, `${this.#path}/${name}`);
  }

  /** `n` independent streams, always the same for the same generator. */
  split(n: number): Random[] {
    return Array.from({ length: n }, (_, i) => this.key(`#${i}`));
  }

  /** 32 random bits as an unsigned integer. */
  bits(): number {
    const s = this.#state;
    const result = Math.imul(rotate(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 11);
    return result;
  }

  /** Uniform on [0, 1), 53 bits. */
  uniform(): number {
    return ((this.bits() >>> 5) * 67108864 + (this.bits() >>> 6)) / 9007199254740992;
  }

  /** Integer on [0, n), without modulo bias. */
  integer(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** Standard normal (Marsaglia's polar method). */
  normal(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare;
      this.#spare = undefined;
      return spare;
    }
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const s = u * u + v * v;
      if (s === 0 || s >= 1) continue;
      const scale = Math.sqrt((-2 * Math.log(s)) / s);
      this.#spare = v * scale;
      return u * scale;
    }
  }

  /** 0 .. n-1 in random order (Fisher and Yates). */
  permutation(n: number): Uint32Array {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }
}

const rotate = (x: number, k: number): number => (x << k) | (x >>> (32 - k));

/** 32-bit hash of a string (FNV-1a with a final avalanche), started from `seed`. */
export function hash32(text: string, seed = 0): number {
  let h = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
