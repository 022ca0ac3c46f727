/**
 * A keyed permutation of 0 .. n-1 that needs no list: a balanced Feistel network over the next even power of two,
 * walked until it lands inside (cycle walking; fewer than 4 steps on average).
 */
import { hash32 } from '../random.js';

const ROUNDS = 6;

/** `at(i)` of a permutation of 0 .. n-1 chosen by `key`; n up to 2^52. */
export function bijection(n: number, key: string): (i: number) => number {
  const halfBits = halfBitsOf(n);
  const half = 2 ** halfBits;
  const keys = Int32Array.from({ length: ROUNDS }, (_, round) => hash32(key, round + 1));
  return (i) => {
    if (!(i >= 0 && i < n)) throw new RangeError(`position ${i} of ${n}`);
    let x = i;
    do x = feistel(x, half, keys);
    while (x >= n);
    return x;
  };
}

/** Bits of half a block: two halves cover at least n and at most 4 n values. */
function halfBitsOf(n: number): number {
  let bits = 1;
  while (4 ** bits < n) bits++;
  return bits;
}

function feistel(x: number, half: number, keys: Int32Array): number {
  let left = Math.floor(x / half);
  let right = x % half;
  for (const key of keys) [left, right] = [right, (left ^ mix(right, key)) & (half - 1)];
  return left * half + right;
}

/** murmur3's finaliser. */
function mix(value: number, key: number): number {
  let h = Math.imul(value ^ key, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
